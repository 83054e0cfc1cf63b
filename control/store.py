"""The port of the control store: operators' settings, cursors of the sources, leases.

`control.sql` implements it on SQLite and PostgreSQL; tests/laws/control.py tests both. All methods
wait for the database, with a timeout, and are durable when they return.

    ControlError
    ├── ControlUnavailable    the database cannot be reached or opened (one line, what to do)
    └── LeaseLost             the lease was released or acquired by another: stop using it
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from streams.broadcasts import SettingChanged, Value
from streams.ids import ChannelId
from streams.sources.cursors import (
    NO_PAGES,
    Cursor,
    CursorsUnavailable,
    FloodWait,
    Followed,
    Pages,
    Standing,
)

__all__ = [
    "Account",
    "Accounts",
    "ControlError",
    "ControlStore",
    "ControlUnavailable",
    "Cursor",
    "Delivery",
    "FloodWait",
    "Followed",
    "Lease",
    "LeaseLost",
    "Leases",
    "SettingsStore",
    "Standing",
    "Subscription",
]


class ControlError(Exception): ...


class ControlUnavailable(ControlError, CursorsUnavailable): ...


class LeaseLost(ControlError): ...


class Lease(msgspec.Struct, frozen=True):
    """The exclusive right to do what `name` says, until it expires."""

    name: str
    holder: str
    #: Grows with each acquisition, so that late writes of an earlier holder are refused.
    fence: int


class Account(msgspec.Struct, frozen=True):
    """A Telegram account that is signed in."""

    #: Telegram's id of the user; negative if unknown (a session of an earlier version).
    id: int
    #: A credential of this user: never logged or printed, sealed where it is stored. None if this
    #: process cannot open it: `locked` says why.
    session: str | None
    added_at_ms: int
    #: Why Telegram refused the session when it was last used; None if it accepted it.
    refused: str | None = None
    #: Why this process cannot open the session, and what to do.
    locked: str | None = None

    def __repr__(self) -> str:
        return f"Account(id={self.id})"


class Subscription(msgspec.Struct, frozen=True):
    """A chat that wants a channel's alerts."""

    chat_id: int
    channel_id: ChannelId


class Delivery(msgspec.Struct, frozen=True):
    """The bot's message about an alert in a chat, and the state that it shows."""

    alert_id: str
    chat_id: int
    message_id: int
    #: analytics.Alert.state and .observed_at_ms that the message shows.
    state: str
    observed_at_ms: int


class Leases(Protocol):
    """Leases expire by the database's clock alone, so machines' clocks need not agree."""

    async def acquire(self, name: str, holder: str, ttl_ms: int) -> Lease | None:
        """Acquire the lease for `ttl_ms` from now. None while another holder has it.

        The present holder gets it again with a new fence: `holder` must be unique per process.
        """

    async def renew(self, lease: Lease, ttl_ms: int) -> bool:
        """Extend the lease to `ttl_ms` from now, even if it expired and nobody acquired it since.

        False if it was released or acquired since.
        """

    async def release(self, lease: Lease) -> None:
        """Free the lease for others. No effect if it was lost already."""

    async def held(self, prefix: str) -> Sequence[Lease]:
        """The unexpired leases whose names begin with `prefix`, by name."""


class Accounts(Protocol):
    """Telegram accounts, and which of them observes which channel: at most one per channel.

    An account is live while a process holds the lease `account_lease(id)`. Channels of accounts
    that are not live are free.
    """

    async def put(self, account: Account) -> None:
        """Store an account with a new session; replaces an earlier one and its refusal.

        Raises control.sealing.KeyUnavailable if there is no key to seal it.
        """

    async def all(self) -> Sequence[Account]:
        """All accounts, oldest first. A session that this process cannot open is None, and kept."""

    async def remove(self, account_id: int) -> bool:
        """False if there was no such account."""

    async def put_refusal(self, account_id: int, reason: str | None) -> None:
        """Record why Telegram refused the session at its last use; None: it was accepted."""

    async def claims(self) -> Mapping[str, int]:
        """The account that claimed each followed channel, by the channel's reference."""

    async def claim(self, lease: Lease, account_id: int, references: Collection[str]) -> set[str]:
        """Claim the channels that no other live account has. Returns all that this account has now.

        `lease` is the account's. Raises LeaseLost if it was released or acquired since.
        """

    async def let_go(self, account_id: int, references: Collection[str]) -> None:
        """Free these channels. Call it after the account has stopped observing them."""

    async def cursor(self, account_id: int, channel_id: ChannelId) -> Cursor | None:
        """The channel's cursor, with this account's access hash: hashes differ per account."""

    async def put_cursor(
        self, lease: Lease, account_id: int, cursor: Cursor, pages: Pages = NO_PAGES
    ) -> None:
        """Store the cursor, and the changed pages of known posts. `lease` is the account's.

        Raises LeaseLost if it was released or acquired since; then nothing is stored.
        """

    async def flood_waits(self, account_id: int) -> Sequence[FloodWait]:
        """All flood waits of the account, including expired ones."""

    async def put_flood_wait(self, account_id: int, wait: FloodWait, now_ms: int) -> None:
        """Replace the wait of its method and channel; expired waits are deleted."""


class SettingsStore(Protocol):
    """What operators set of decisions. What a name means, and which values are, others know."""

    async def put(
        self, name: str, channel_id: ChannelId | None, value: Value | None, now_ms: int
    ) -> SettingChanged:
        """Set it for one channel, or for all; None unsets it. Returns what is announced.

        The version is the time in milliseconds, and higher than the one before in any case: so a
        store that was restored from a backup goes on above the versions that were announced.
        """

    async def all(self) -> Sequence[SettingChanged]:
        """The last of each name and channel, those that were unset included."""


def account_lease(account_id: int) -> str:
    """The name of the lease under which an account is used."""
    return f"{ACCOUNT_LEASES}{account_id}"


ACCOUNT_LEASES = "account/"


class ControlStore(Protocol):
    """Every method raises ControlUnavailable while the database cannot be reached."""

    @property
    def leases(self) -> Leases: ...

    @property
    def accounts(self) -> Accounts: ...

    @property
    def settings(self) -> SettingsStore: ...

    async def migrate(self) -> None:
        """Bring the schema up to date. Processes call it at start; concurrent calls are safe."""

    async def follow(self, reference: str, now_ms: int) -> Followed:
        """Follow a channel by any of its spellings. Following twice changes nothing.

        Raises streams.ids.InvalidChannel.
        """

    async def resolve(self, reference: str, channel_id: ChannelId, username: str | None) -> None:
        """Record the channel that a followed reference means."""

    async def unfollow(self, reference: str) -> bool:
        """False if it was not followed."""

    async def followed(self) -> Sequence[Followed]: ...

    async def put_standing(self, reference: str, standing: Standing) -> None:
        """Record the status of a followed channel. No effect if it was unfollowed."""

    async def cursor(self, channel_id: ChannelId) -> Cursor | None: ...

    async def known_posts(self, channel_id: ChannelId) -> Mapping[int, str]:
        """The pages stored with the channel's cursors, by any account."""

    async def put_cursor(self, cursor: Cursor, pages: Pages = NO_PAGES) -> None: ...

    async def flood_waits(self) -> Sequence[FloodWait]:
        """Flood waits of a source without accounts; see Accounts.flood_waits."""

    async def put_flood_wait(self, wait: FloodWait, now_ms: int) -> None: ...

    async def subscribe(self, subscription: Subscription) -> bool:
        """False if it existed already."""

    async def unsubscribe(self, subscription: Subscription) -> bool: ...

    async def subscriptions(self, chat_id: int) -> Sequence[Subscription]: ...

    async def subscribers(self, channel_id: ChannelId) -> Sequence[Subscription]: ...

    async def delivery(self, alert_id: str, chat_id: int) -> Delivery | None: ...

    async def deliveries(self, alert_id: str) -> Sequence[Delivery]: ...

    async def put_delivery(self, delivery: Delivery) -> None: ...

    async def forget_deliveries(self, before_ms: int) -> int:
        """Delete deliveries last changed before `before_ms`; returns their number."""

    async def close(self) -> None: ...
