"""What a source keeps between runs: which channels it follows and how far it has read them.

The port that a source needs of the control store; not the store itself (control.store).

    CursorsUnavailable    the store cannot be reached now: try again with growing pauses
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import msgspec

from streams.ids import ChannelId, PostId, Username

#: Pages of known posts by number; None where a page holds none any more. Opaque to the store.
Pages = Mapping[int, str | None]
NO_PAGES: Pages = MappingProxyType({})


class CursorsUnavailable(Exception): ...


class Followed(msgspec.Struct, frozen=True):
    """A channel that is followed. `channel_id` is None until Telegram resolved the name."""

    reference: str
    channel_id: ChannelId | None
    username: Username | None
    followed_since_ms: int
    #: As last told by whoever observes it: events.ChannelStatus.status, `pending` before the first.
    status: str = "pending"
    status_reason: str = ""
    #: When the source tries again, where it knows.
    status_until_ms: int | None = None
    status_at_ms: int | None = None


class Standing(msgspec.Struct, frozen=True):
    """How a followed channel is: the last four fields of Followed."""

    status: str
    reason: str
    until_ms: int | None
    at_ms: int


class FloodWait(msgspec.Struct, frozen=True):
    """Telegram refuses a method to an account until then: for one channel, or (None) for all."""

    method: str
    channel_id: ChannelId | None
    until_ms: int


class Cursor(msgspec.Struct, frozen=True):
    """How far a source has read a channel. Stored only after the log acknowledged."""

    channel_id: ChannelId
    #: The newest post in the log.
    last_post_id: PostId = PostId(0)
    #: The oldest post that the backfill has reached; None before it began.
    backfilled_to: PostId | None = None
    backfill_done: bool = False
    #: Telegram's hash for this account; a channel cannot be addressed without it.
    access_hash: int | None = None
    #: Where the round that compares all known posts with Telegram stands; None between rounds.
    compared_to: PostId | None = None


class Cursors(Protocol):
    """Each method raises CursorsUnavailable while the store cannot be reached."""

    async def followed(self) -> Sequence[Followed]: ...

    async def resolve(self, reference: str, channel_id: ChannelId, username: str | None) -> None:
        """Say which channel a followed reference means."""

    async def put_standing(self, reference: str, standing: Standing) -> None:
        """Say how a followed channel is. Nothing happens where it is followed no longer."""

    async def cursor(self, channel_id: ChannelId) -> Cursor | None: ...

    async def known_posts(self, channel_id: ChannelId) -> Mapping[int, str]:
        """All pages that were stored with the channel's cursors."""

    async def put_cursor(self, cursor: Cursor, pages: Pages = NO_PAGES) -> None:
        """With those pages of its known posts that changed; both or none."""

    async def flood_waits(self) -> Sequence[FloodWait]:
        """The account's, those that are over included."""

    async def put_flood_wait(self, wait: FloodWait, now_ms: int) -> None:
        """Replaces the one of its method and channel; those that are over by now are forgotten."""
