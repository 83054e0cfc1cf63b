"""Assigns Telegram accounts to collectors; one collector uses each.

A collector that dies loses its accounts with their leases, and the others take them.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from collect.account import AccountInUse, Application, Means
from collect.settings import CollectorSettings
from control.announcer import Change, announce
from control.assigning import assigned
from control.lease_keeper import Tenure
from control.store import (
    ACCOUNT_LEASES,
    Account,
    ControlError,
    ControlStore,
    Lease,
    LeaseLost,
    account_lease,
)
from streams.clock import Clock
from streams.health import Finding, not_ready
from streams.log import Log, LogUnavailable
from streams.metrics import Metrics
from streams.outage import Outage
from streams.pauses import Pauses
from streams.publisher import Publisher
from streams.retry import Retry
from streams.tracing import Traces

logger = logging.getLogger(__name__)

COLLECTOR_LEASES = "collector/"
#: How often to reconcile accounts; also the first pause while the store is unavailable.
EVERY_S, LONGEST_PAUSE_S = 1.0, 10.0


class Host(NamedTuple):
    """The collecting process."""

    log: Log
    clock: Clock
    metrics: Metrics
    #: None without tracing.
    traces: Traces | None
    #: The holder of its leases; unique among live processes.
    holder: str
    #: Whether no other process can ask for its leases.
    alone: bool
    lease_s: int
    #: Ends the process at once: another one may own an account that this one cannot release.
    end: Callable[[str], None]


class Collecting:
    """The accounts that this process uses: those assigned to it that no other holds."""

    def __init__(
        self,
        host: Host,
        control: ControlStore,
        application: Application,
        settings: CollectorSettings | None,
    ) -> None:
        self._host = host
        self._control = control
        self._application = application
        self._settings = settings
        self._lease_s = host.lease_s
        #: The lease by which other collectors see this one.
        self._presence: Lease | None = None
        self._used: dict[int, tuple[AccountInUse, asyncio.Task[None]]] = {}
        self._known: Mapping[int, Account] = {}
        #: Accounts whose sessions cannot be opened here, and why.
        self._locked: Mapping[int, str] = {}
        self._followed: set[str] | None = None
        self._started = False
        self._retry = Retry({ControlError: "control"}, logger, Pauses(EVERY_S, LONGEST_PAUSE_S))
        self._log_outage = Outage(logger)

    async def run(self) -> None:
        """Runs until cancelled; retries while the control store is unavailable. Raises LogError."""
        host = self._host
        async with Publisher(host.log, host.metrics, traces=host.traces) as publisher:
            means = self._means(publisher)
            try:
                while True:
                    await self._retry.call(lambda: self._reconcile(means))
                    self._started = True
                    await asyncio.sleep(EVERY_S)
            finally:
                await self._leave()

    async def check(self) -> Finding:
        findings = [_check(used, task) for used, task in self._used.values()]
        findings += [not_ready(f"account {one}: {why}") for one, why in self._locked.items()]
        if trouble := self._retry.trouble or ("" if self._started else "starting"):
            says = "; ".join([trouble, *(finding.says for finding in findings)])
            return not_ready(says)
        if not self._known and not self._locked:
            return not_ready("nobody is logged in to Telegram: run `analyticbot login`")
        if not findings:
            return Finding(True, "waiting: other collectors use all accounts")
        says = "; ".join(finding.says for finding in findings)
        return Finding(all(finding.ready for finding in findings), says)

    def _means(self, publisher: Publisher) -> Means:
        host = self._host
        return Means(
            self._application,
            self._control,
            publisher,
            host.clock,
            host.metrics,
            self._settings,
        )

    async def _reconcile(self, means: Means) -> None:
        """Renew this process's presence, release others' accounts, acquire those assigned to it."""
        await self._collect_ended()
        await self._read_accounts()
        # A collector without the key gets no accounts: they go to collectors that have it.
        mine = set() if self._locked and not self._known else await self._assigned_accounts()
        await self._stop({i for i in self._used if i not in mine or self._is_anew(i)})
        for account_id in sorted(mine - self._used.keys()):
            await self._take(self._known[account_id], means)
        await self._announce()
        self._host.metrics.gauge("analyticbot_lease_held", len(self._used), kind="account")

    async def _read_accounts(self) -> None:
        accounts = await self._control.accounts.all()
        locked = {one.id: one.locked for one in accounts if one.locked}
        for account_id, reason in locked.items():
            if self._locked.get(account_id) != reason:
                fields = {"account": account_id, "reason": reason}
                logger.error("account_locked", extra=fields)
        self._locked = locked
        self._known = {one.id: one for one in accounts if not one.locked}

    async def _assigned_accounts(self) -> set[int]:
        """The accounts assigned to this process, among all collectors that are running."""
        leases, holder = self._control.leases, self._host.holder
        name = COLLECTOR_LEASES + holder
        self._presence = await leases.acquire(name, holder, self._lease_s * 1000)
        # Include this one even if its lease has expired since.
        present = {holder} | {lease.holder for lease in await leases.held(COLLECTOR_LEASES)}
        held = {lease.name: lease.holder for lease in await leases.held(ACCOUNT_LEASES)}
        holders = {i: held[account_lease(i)] for i in self._known if account_lease(i) in held}
        assignment = assigned(list(self._known), present, holders)
        return {i for i, by in assignment.items() if by == holder}

    async def _take(self, account: Account, means: Means) -> None:
        host, name = self._host, account_lease(account.id)
        tenure = await Tenure.acquired(
            self._control.leases, name, host.holder, self._lease_s, alone=host.alone
        )
        if tenure is not None:
            logger.info("account_taken", extra={"account": account.id})
            used = AccountInUse(account, tenure, means)
            overdue = _tell_overdue if host.alone else host.end
            task = asyncio.create_task(tenure.run(used.run(), overdue))
            self._used[account.id] = used, task

    def _is_anew(self, account_id: int) -> bool:
        """Whether the account was logged in again since this process took it."""
        return self._used[account_id][0].account.session != self._known[account_id].session

    async def _collect_ended(self) -> None:
        """Drop accounts that lost their leases; they may be acquired again. Raises other errors."""
        for account_id, (_, task) in list(self._used.items()):
            if task.done():
                del self._used[account_id]
                try:
                    await task
                except LeaseLost as lost:
                    logger.warning("account_lost", extra={"reason": str(lost)})

    async def _stop(self, account_ids: set[int]) -> None:
        tasks = [self._used.pop(account_id)[1] for account_id in account_ids]
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, LeaseLost):
                raise ended

    async def _leave(self) -> None:
        """Release all leases, so that others need not wait for their expiry."""
        await self._stop(set(self._used))
        if self._presence is not None:
            with suppress(ControlError):
                await self._control.leases.release(self._presence)

    async def _announce(self) -> None:
        """Announce changes of the followed channels in the log."""
        followed = {one.reference for one in await self._control.followed()}
        if self._followed is not None and self._followed != followed:
            try:
                now_ms = self._host.clock.now_ms()
                await announce(self._host.log, Change(kind="channels", at_ms=now_ms))
            except LogUnavailable as error:
                self._log_outage.begin("log", str(error))
                return
            self._log_outage.end()
        self._followed = followed


def _tell_overdue(reason: str) -> None:
    """No other process can acquire it: its connection may close slowly."""
    logger.warning("account_overlaps", extra={"reason": reason})


def _check(used: AccountInUse, task: "asyncio.Task[None]") -> Finding:
    if not task.done():
        return used.check()
    why = "cancelled" if task.cancelled() else task.exception()
    return not_ready(f"account {used.account.id}: let go: {why}")
