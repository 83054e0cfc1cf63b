"""The control store's port: what operators set, where the sources stand, who does what.

`control.sql` implements it on SQLite and PostgreSQL; tests/laws/control.py holds both to it.

    ControlError
    ├── ControlUnavailable    the database cannot be reached or opened (one line, what to do)
    └── LeaseLost             what was held is held no longer: stop using it
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
    """The right to be the only one who does what `name` says, for a time."""

    name: str
    holder: str
    #: Grows whenever the lease is acquired, so what an earlier holder does late can be told.
    fence: int


class Account(msgspec.Struct, frozen=True):
    """A Telegram account that is signed in."""

    #: Telegram's id of the user; negative where it is not known (a session of an earlier version).
    id: int
    #: Whoever has it is signed in as this user: never logged, never printed, sealed where it is
    #: stored. None where it cannot be opened here: `locked` says why.
    session: str | None
    added_at_ms: int
    #: Why Telegram did not accept the session when it was used last.
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
    """The message by which a chat was told of an alert, and what it says by now."""

    alert_id: str
    chat_id: int
    message_id: int
    #: analytics.Alert.state and .observed_at_ms of what the message shows.
    state: str
    observed_at_ms: int


class Leases(Protocol):
    """By the database's clock alone, so that the clocks of machines need not agree."""

    async def acquire(self, name: str, holder: str, ttl_ms: int) -> Lease | None:
        """Hold it for so long from now on. None while another does.

        Whoever holds it already gets it anew, with a new fence: a holder's name is one process's.
        """

    async def renew(self, lease: Lease, ttl_ms: int) -> bool:
        """Hold it for so long from now on, also where it has ended and nobody has had it since.

        False when it was released or acquired since.
        """

    async def release(self, lease: Lease) -> None:
        """Others may have it now. Nothing happens where it is held no longer."""

    async def held(self, prefix: str) -> Sequence[Lease]:
        """Those that somebody holds now and whose names begin so, by name."""


class Accounts(Protocol):
    """Telegram's accounts, and which of them observes which channel: each at most one.

    An account is live while somebody holds the lease `account_lease(id)`. A channel of one that
    is not live is free.
    """

    async def put(self, account: Account) -> None:
        """With a session that nobody has refused yet; replaces an earlier one.

        Raises control.sealing.KeyUnavailable where there is no key to seal it with.
        """

    async def all(self) -> Sequence[Account]:
        """By age. A session that cannot be opened here is None, and stays as it is."""

    async def remove(self, account_id: int) -> bool:
        """False when there was none."""

    async def put_refusal(self, account_id: int, reason: str | None) -> None:
        """Whether Telegram accepts the session, as told when it was used last."""

    async def claims(self) -> Mapping[str, int]:
        """The account that observes, by the reference of the followed channel."""

    async def claim(self, lease: Lease, account_id: int, references: Collection[str]) -> set[str]:
        """Take those that no other live account has. Returns those that are now this account's.

        `lease` is the account's. Raises LeaseLost when it was released or acquired since.
        """

    async def let_go(self, account_id: int, references: Collection[str]) -> None:
        """They are free. Call it after the account has stopped to observe them."""

    async def cursor(self, account_id: int, channel_id: ChannelId) -> Cursor | None:
        """With this account's access hash: one account's is of no use to another."""

    async def put_cursor(
        self, lease: Lease, account_id: int, cursor: Cursor, pages: Pages = NO_PAGES
    ) -> None:
        """With those pages of its known posts that changed. `lease` is the account's.

        Raises LeaseLost when it was released or acquired since, and then nothing is stored.
        """

    async def flood_waits(self, account_id: int) -> Sequence[FloodWait]:
        """How long Telegram refuses what to the account, waits that are over included."""

    async def put_flood_wait(self, account_id: int, wait: FloodWait, now_ms: int) -> None:
        """Replaces the one of its method and channel; those that are over by now are forgotten."""


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

    async def put_standing(self, reference: str, standing: Standing) -> None:
        """Say how a followed channel is. Nothing happens where it is followed no longer."""

    async def cursor(self, channel_id: ChannelId) -> Cursor | None: ...

    async def known_posts(self, channel_id: ChannelId) -> Mapping[int, str]:
        """The pages that were stored with the channel's cursors, by whatever account."""

    async def put_cursor(self, cursor: Cursor, pages: Pages = NO_PAGES) -> None: ...

    async def flood_waits(self) -> Sequence[FloodWait]:
        """Of a source that has no account; as Accounts.flood_waits."""

    async def put_flood_wait(self, wait: FloodWait, now_ms: int) -> None: ...

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
