"""What a source keeps between runs: which channels it follows and how far it has read them.

The port that a source needs of the control store; not the store itself (control.store).

    CursorsUnavailable    the store cannot be reached now: try again with growing pauses
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from streams.ids import ChannelId, PostId, Username


class CursorsUnavailable(Exception): ...


class Followed(msgspec.Struct, frozen=True):
    """A channel that is followed. `channel_id` is None until Telegram resolved the name."""

    reference: str
    channel_id: ChannelId | None
    username: Username | None
    followed_since_ms: int


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
    #: The newest posts as last compared with Telegram. Opaque to the store.
    recent: str | None = None


class Cursors(Protocol):
    """Each method raises CursorsUnavailable while the store cannot be reached."""

    async def followed(self) -> Sequence[Followed]: ...

    async def resolve(self, reference: str, channel_id: ChannelId, username: str | None) -> None:
        """Say which channel a followed reference means."""

    async def cursor(self, channel_id: ChannelId) -> Cursor | None: ...

    async def put_cursor(self, cursor: Cursor) -> None: ...
