"""The state of a source between runs: the channels that it follows, and how far it has read each.

This is the port that a source needs of the control store, not the store itself (control.store).

    CursorsUnavailable    the store is unreachable now: retry with growing pauses
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import msgspec

from streams.ids import ChannelId, PostId, Username

#: Pages of known posts, by number; None for a page that became empty. Opaque to the store.
Pages = Mapping[int, str | None]
NO_PAGES: Pages = MappingProxyType({})


class CursorsUnavailable(Exception): ...


class Followed(msgspec.Struct, frozen=True):
    """A followed channel. `channel_id` is None until Telegram has resolved the reference."""

    reference: str
    channel_id: ChannelId | None
    username: Username | None
    followed_since_ms: int
    #: As its source last reported: events.ChannelStatus.status; `pending` before the first report.
    status: str = "pending"
    status_reason: str = ""
    #: When the source retries, if known.
    status_until_ms: int | None = None
    status_at_ms: int | None = None


class Standing(msgspec.Struct, frozen=True):
    """The status of a followed channel: the last four fields of Followed."""

    status: str
    reason: str
    until_ms: int | None
    at_ms: int


class FloodWait(msgspec.Struct, frozen=True):
    """Telegram refuses a method to an account until `until_ms`: for one channel, or all (None)."""

    method: str
    channel_id: ChannelId | None
    until_ms: int


class Cursor(msgspec.Struct, frozen=True):
    """How far a source has read a channel. Stored only after the log acknowledged the events."""

    channel_id: ChannelId
    #: The newest post in the log.
    last_post_id: PostId = PostId(0)
    #: The oldest post that the backfill has reached; None before the backfill begins.
    backfilled_to: PostId | None = None
    backfill_done: bool = False
    #: Telegram's hash for this account; a channel cannot be addressed without it.
    access_hash: int | None = None
    #: The position of the round that compares all known posts with Telegram; None between rounds.
    compared_to: PostId | None = None


class Cursors(Protocol):
    """Called by sources. Every method raises CursorsUnavailable while the store is unreachable."""

    async def followed(self) -> Sequence[Followed]: ...

    async def resolve(self, reference: str, channel_id: ChannelId, username: str | None) -> None:
        """Store the channel that a followed reference names."""

    async def put_standing(self, reference: str, standing: Standing) -> None:
        """Store the status of a followed channel. No effect if it is not followed any more."""

    async def cursor(self, channel_id: ChannelId) -> Cursor | None: ...

    async def known_posts(self, channel_id: ChannelId) -> Mapping[int, str]:
        """All pages that `put_cursor` stored with the channel's cursors."""

    async def put_cursor(self, cursor: Cursor, pages: Pages = NO_PAGES) -> None:
        """Store the cursor and the changed pages of its known posts; both or neither."""

    async def flood_waits(self) -> Sequence[FloodWait]:
        """All stored waits of the account; some may be over."""

    async def put_flood_wait(self, wait: FloodWait, now_ms: int) -> None:
        """Store a wait, in place of one with its method and channel. Deletes waits over by now."""
