"""The channels that are assigned to one account while its lease is held."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from control.assigning import assigned
from control.store import ACCOUNT_LEASES, ControlStore, Cursor, FloodWait, Lease, Standing
from streams.ids import ChannelId
from streams.sources.cursors import NO_PAGES, Followed, Pages


class Observing(Protocol):
    """The part of a collector that this needs."""

    async def follow(self, followed: Followed) -> None: ...

    async def unfollow(self, reference: str) -> None: ...


class ChannelSet:
    """Implements streams.sources.cursors.Cursors for the collector of one account.

    Every method raises ControlUnavailable, and LeaseLost if another process has the account now.
    """

    def __init__(self, control: ControlStore, lease: Lease, account_id: int) -> None:
        self._control = control
        self._lease = lease
        self._account_id = account_id
        self._mine: dict[str, Followed] = {}

    def __len__(self) -> int:
        return len(self._mine)

    async def followed(self) -> Sequence[Followed]:
        return list(self._mine.values())

    async def resolve(self, reference: str, channel_id: ChannelId, username: str | None) -> None:
        await self._control.resolve(reference, channel_id, username)

    async def cursor(self, channel_id: ChannelId) -> Cursor | None:
        return await self._control.accounts.cursor(self._account_id, channel_id)

    async def known_posts(self, channel_id: ChannelId) -> Mapping[int, str]:
        return await self._control.known_posts(channel_id)

    async def put_cursor(self, cursor: Cursor, pages: Pages = NO_PAGES) -> None:
        await self._control.accounts.put_cursor(self._lease, self._account_id, cursor, pages)

    async def put_standing(self, reference: str, standing: Standing) -> None:
        await self._control.put_standing(reference, standing)

    async def flood_waits(self) -> Sequence[FloodWait]:
        return await self._control.accounts.flood_waits(self._account_id)

    async def put_flood_wait(self, wait: FloodWait, now_ms: int) -> None:
        await self._control.accounts.put_flood_wait(self._account_id, wait, now_ms)

    async def reconcile(self, collector: Observing) -> None:
        """Release the channels of other accounts, then claim those assigned to this one.

        A channel never has two accounts: this one stops observing it before the release, and the
        other account claims it at its next reconciliation.
        """
        followed = {one.reference: one for one in await self._control.followed()}
        claims = await self._control.accounts.claims()
        wanted = await self._wanted(followed, claims)
        held = {reference for reference, by in claims.items() if by == self._account_id}
        await self._leave((self._mine.keys() | held) - wanted, collector)
        claimed = await self._control.accounts.claim(self._lease, self._account_id, wanted)
        await self._leave(self._mine.keys() - claimed, collector)
        for reference in sorted(claimed - self._mine.keys()):
            self._mine[reference] = followed[reference]
            await collector.follow(followed[reference])

    async def leave_all(self) -> None:
        """Release all channels. Call it when none is observed any more."""
        await self._control.accounts.let_go(self._account_id, list(self._mine))
        self._mine.clear()

    async def _wanted(
        self, followed: Mapping[str, Followed], claims: Mapping[str, int]
    ) -> set[str]:
        """The channels assigned to this account. Every account computes the same assignment."""
        refused = {one.id for one in await self._control.accounts.all() if one.refused}
        leased = await self._control.leases.held(ACCOUNT_LEASES)
        live = {int(lease.name.removeprefix(ACCOUNT_LEASES)) for lease in leased}
        # If Telegram refuses all accounts, each keeps trying with its assignment.
        able = live - refused or live
        assignment = assigned(list(followed), able, claims)
        return {reference for reference, by in assignment.items() if by == self._account_id}

    async def _leave(self, references: set[str], collector: Observing) -> None:
        for reference in sorted(references & self._mine.keys()):
            await collector.unfollow(reference)
        if references:
            await self._control.accounts.let_go(self._account_id, references)
            for reference in references:
                self._mine.pop(reference, None)
