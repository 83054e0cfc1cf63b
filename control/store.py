"""The control store's port: what operators set, and where the sources stand.

`control.sql` implements it on SQLite and PostgreSQL; tests/laws/control.py holds both to it.

    ControlError
    └── ControlUnavailable    the database cannot be reached or opened (one line, what to do)
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from streams.ids import ChannelId
from streams.sources.cursors import Cursor, CursorsUnavailable, Followed

__all__ = [
    "ControlError",
    "ControlStore",
    "ControlUnavailable",
    "Cursor",
    "Delivery",
    "Followed",
    "Subscription",
]


class ControlError(Exception): ...


class ControlUnavailable(ControlError, CursorsUnavailable): ...


class Subscription(msgspec.Struct, frozen=True):
    """A chat that wants a channel's alerts."""

    chat_id: int
    channel_id: ChannelId


class Delivery(msgspec.Struct, frozen=True):
    """The message by which a chat was told of an alert, and what it says by now."""

    alert_id: str
    chat_id: int
    message_id: int
    #: analytics.Alert.state and .observed_at_ms of what the message shows.
    state: str
    observed_at_ms: int


class ControlStore(Protocol):
    """Every method raises ControlUnavailable while the database cannot be reached."""

    async def migrate(self) -> None:
        """Bring the schema up to date. Called at start, by any number of processes at once."""

    async def follow(self, reference: str, now_ms: int) -> Followed:
        """Follow a channel by any of its spellings. Following twice changes nothing.

        Raises streams.ids.InvalidChannel when it is none.
        """

    async def resolve(self, reference: str, channel_id: ChannelId, username: str | None) -> None:
        """Say which channel a followed reference means."""

    async def unfollow(self, reference: str) -> bool:
        """False when it was not followed."""

    async def followed(self) -> Sequence[Followed]: ...

    async def cursor(self, channel_id: ChannelId) -> Cursor | None: ...

    async def put_cursor(self, cursor: Cursor) -> None: ...

    async def subscribe(self, subscription: Subscription) -> bool:
        """False when it was there already."""

    async def unsubscribe(self, subscription: Subscription) -> bool: ...

    async def subscriptions(self, chat_id: int) -> Sequence[Subscription]: ...

    async def subscribers(self, channel_id: ChannelId) -> Sequence[Subscription]: ...

    async def delivery(self, alert_id: str, chat_id: int) -> Delivery | None: ...

    async def deliveries(self, alert_id: str) -> Sequence[Delivery]: ...

    async def put_delivery(self, delivery: Delivery) -> None: ...

    async def forget_deliveries(self, before_ms: int) -> int:
        """Drop what was last changed before; returns how many."""

    async def close(self) -> None: ...
