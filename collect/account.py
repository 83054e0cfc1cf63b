"""One Telegram account in use: a collector on its session, for the channels assigned to it."""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from telethon.sessions import StringSession

from collect.channel_set import ChannelSet
from collect.client import AccountLost, client_factory
from collect.collector import Collector
from collect.settings import CollectorSettings
from control.lease_keeper import Tenure
from control.store import Account, ControlStore, ControlUnavailable
from streams.clock import Clock
from streams.health import Finding, not_ready
from streams.metrics import Metrics
from streams.outage import Outage
from streams.pauses import Pauses
from streams.publisher import Publisher
from streams.side_by_side import side_by_side

logger = logging.getLogger(__name__)

#: How often it is looked what is followed, by whom.
EVERY_S = 2.0


class Application(NamedTuple):
    """The application's credentials at Telegram."""

    api_id: int
    api_hash: str


class Means(NamedTuple):
    """The means of using an account."""

    application: Application
    control: ControlStore
    publisher: Publisher
    clock: Clock
    metrics: Metrics
    settings: CollectorSettings | None = None
    every_s: float = EVERY_S
    #: Pauses between attempts with a session that Telegram refuses.
    pauses: Callable[[], Pauses] = lambda: Pauses(first_s=5, longest_s=300)


class AccountInUse:
    """`run` it once, under its lease; `check` at any time."""

    def __init__(self, account: Account, tenure: Tenure, means: Means) -> None:
        self.account = account
        self._tenure = tenure
        self._means = means
        self._refused = account.refused
        self._collector: Collector | None = None
        self._channels: ChannelSet | None = None
        self._outage = Outage(logger)

    def check(self) -> Finding:
        account = f"account {self.account.id}"
        if self._tenure.trouble:
            return not_ready(f"{account}: cannot renew its lease: {self._tenure.trouble}")
        if self._refused:
            return not_ready(f"{account}: Telegram refuses the session ({self._refused})")
        if self._collector is None or self._channels is None or not self._collector.connected:
            away = self._collector.away if self._collector else ""
            return not_ready(f"{account}: {f'{away} is unavailable' if away else 'connecting'}")
        return Finding(True, f"{account} observes {len(self._channels)} channels")

    async def run(self) -> None:
        """Observe until cancelled. Raises LeaseLost, LogError.

        If Telegram refuses the session (signed out, or used from two places), it releases the
        channels to other accounts and retries after growing pauses.
        """
        pauses = self._means.pauses()
        while True:
            lost = await self._observe()
            if lost.reason != self._refused:
                fields = {"account": self.account.id, "reason": str(lost)}
                logger.error("telegram_account_lost", extra=fields)
            await self._tell_refusal(lost.reason)
            await self._leave_all()
            await pauses.pause()

    async def _observe(self) -> AccountLost:
        """Observes until the account is lost; returns why."""
        assert self.account.session is not None
        means, session = self._means, StringSession(self.account.session)
        channels = self._channels = ChannelSet(means.control, self._tenure.lease, self.account.id)
        collector = self._collector = Collector(
            client_factory(session, *means.application),
            means.publisher,
            channels,
            means.clock,
            means.metrics,
            means.settings,
        )
        try:
            await side_by_side(collector.run(), self._reconcile(channels, collector))
        except AccountLost as lost:
            return lost
        raise AssertionError("a collector does not end by itself")

    async def _reconcile(self, channels: ChannelSet, collector: Collector) -> None:
        while True:
            try:
                await channels.reconcile(collector)
                if self._refused and collector.connected:
                    await self._tell_refusal(None)
                self._outage.end()
            except ControlUnavailable as error:
                self._outage.begin("control", str(error))
            await asyncio.sleep(self._means.every_s)

    async def _tell_refusal(self, reason: str | None) -> None:
        self._refused = reason
        try:
            await self._means.control.accounts.put_refusal(self.account.id, reason)
        except ControlUnavailable as error:
            self._outage.begin("control", str(error))

    async def _leave_all(self) -> None:
        """Release all channels to other accounts; the next reconciliation releases the rest."""
        assert self._channels is not None
        try:
            await self._channels.leave_all()
        except ControlUnavailable as error:
            self._outage.begin("control", str(error))
