"""A lease while something is done under it: renewed, given up in time, released at the end.

Times are those of a clock that continues while the machine sleeps (streams.clock.uptime_s), counted
from before the request was sent: so they expire before the database lets another holder acquire the
lease.

A paused process (SIGSTOP, a frozen container, a sleeping laptop) cannot give up in time. When it
resumes it asks once whether another has held the lease: if not, it renews it and the work
continues; else the work ends at once, and the lease's fence refuses its writes. In a restored
snapshot of a virtual machine no clock reveals the pause: its holder finds out at its next renewal.

If no other process can acquire the lease (`alone`) it is never given up: that would protect nobody,
and a busy machine or a full disk would end the work.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Self

from control.store import ControlError, Lease, LeaseLost, Leases
from streams.clock import uptime_s

logger = logging.getLogger(__name__)

#: Of the time of a lease: renewed so often; given up when it was not renewed for so long; what is
#: left then is the time that the work has to end.
RENEW_AFTER, GIVE_UP_AFTER, ENDED_AFTER = 1 / 3, 2 / 3, 0.95
#: A process that stood still for longer than that has to end its work within this share of the
#: lease's time, counted from when it went on.
CLOSING = 0.2
#: How often the clock is looked at, and how long a store that refuses is left alone; how long the
#: last try may take.
_STEP, _LAST_TRY = 1 / 20, 1 / 10
#: Releasing is optional: without it others wait until the lease expires.
_RELEASE_S = 2.0


class Tenure:
    """A lease that this process holds. Made by `acquired`; `run` it once."""

    def __init__(
        self,
        leases: Leases,
        lease: Lease,
        ttl_s: float,
        since_s: float,
        now_s: Callable[[], float],
        *,
        alone: bool,
    ) -> None:
        self.lease = lease
        #: Why the last renewal failed; empty after a success.
        self.trouble = ""
        self._leases = leases
        self._ttl_s = ttl_s
        self._since_s = since_s
        self._now_s = now_s
        self._alone = alone
        self._left_behind: set[asyncio.Task[bool]] = set()

    @classmethod
    async def acquired(
        cls,
        leases: Leases,
        name: str,
        holder: str,
        ttl_s: float,
        now_s: Callable[[], float] = uptime_s,
        *,
        alone: bool = False,
    ) -> Self | None:
        """Acquire the lease; None while another holds it. Raises ControlUnavailable.

        `alone`: no other process can acquire it.
        """
        since_s = now_s()
        lease = await leases.acquire(name, holder, _ms(ttl_s))
        return cls(leases, lease, ttl_s, since_s, now_s, alone=alone) if lease else None

    async def run(self, work: Coroutine[Any, Any, None], overdue: Callable[[str], None]) -> None:
        """Run `work` to its end under the lease, then release it.

        If the lease cannot be kept, cancels `work`, waits for its end and raises LeaseLost; also
        raises what `work` raises. Calls `overdue` with a sentence if `work` does not end before
        another may acquire the lease: if that would do harm, `overdue` ends the process.
        """
        working = asyncio.create_task(work)
        keeping = asyncio.create_task(self._keep())
        try:
            await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end(working, keeping, overdue)
        if keeping.done() and not keeping.cancelled() and (lost := keeping.exception()):
            raise lost
        await working

    async def _end(
        self,
        working: "asyncio.Task[None]",
        keeping: "asyncio.Task[None]",
        overdue: Callable[[str], None],
    ) -> None:
        """Keeps renewing until the work has ended, if possible."""
        working.cancel()
        await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
        left_s = self._left_s(ENDED_AFTER)
        end_s = self._now_s() + (left_s if left_s > 0 else self._ttl_s * CLOSING)
        while not working.done() and (left_s := end_s - self._now_s()) > 0:
            await asyncio.wait({working}, timeout=min(left_s, self._ttl_s * _STEP))
        if not working.done():
            overdue(f"{self.lease.name}: what was done under it did not end in time")
            await asyncio.wait({working})
        # A lost lease expires anyway.
        if keeping.cancel():
            await asyncio.wait({keeping})
            await self._release()

    async def _keep(self) -> None:
        while True:
            if (left_s := self._left_s(RENEW_AFTER)) > 0:
                # In steps: the event loop's timers stop while the machine sleeps.
                await asyncio.sleep(min(left_s, self._ttl_s * _STEP))
            else:
                await self._renew()

    async def _renew(self) -> None:
        """Until it is done. Raises LeaseLost when that takes too long, or another has had it."""
        while self._alone:
            if await self._renewed(self._ttl_s):
                return
            await asyncio.sleep(self._ttl_s * _STEP)
        while (left_s := self._left_s(GIVE_UP_AFTER)) > 0:
            if await self._renewed(left_s):
                return
            await asyncio.sleep(min(self._ttl_s * _STEP, max(self._left_s(GIVE_UP_AFTER), 0)))
        # The time may have passed because this process was paused.
        if not await self._renewed(self._ttl_s * _LAST_TRY):
            raise LeaseLost(f"{self.lease.name} could not be renewed: {self.trouble}")

    async def _renewed(self, timeout_s: float) -> bool:
        """False if the store refuses or does not answer; sets `trouble`. Raises LeaseLost."""
        since_s = self._now_s()
        renewing = asyncio.create_task(self._leases.renew(self.lease, _ms(self._ttl_s)))
        # Not awaited once it is late: cancelling a request to a dead server may take for ever.
        self._left_behind.add(renewing)
        renewing.add_done_callback(self._forget)
        await asyncio.wait({renewing}, timeout=timeout_s)
        if not renewing.done():
            renewing.cancel()
            self.trouble = self.trouble or "the control store does not answer"
            return False
        if isinstance(error := renewing.exception(), ControlError):
            self.trouble = str(error)
            return False
        if not renewing.result():
            raise LeaseLost(f"lease {self.lease.name} was lost")
        late_s = since_s - self._since_s - self._ttl_s
        if late_s > 0:
            fields = {"lease": self.lease.name, "late_s": round(late_s, 1)}
            logger.warning("lease_resumed", extra=fields)
        self._since_s, self.trouble = since_s, ""
        return True

    async def _release(self) -> None:
        with suppress(ControlError, TimeoutError):
            async with asyncio.timeout(_RELEASE_S):
                await self._leases.release(self.lease)

    def _forget(self, renewing: "asyncio.Task[bool]") -> None:
        self._left_behind.discard(renewing)
        if not renewing.cancelled():
            renewing.exception()

    def _left_s(self, share: float) -> float:
        return self._since_s + self._ttl_s * share - self._now_s()


def _ms(duration_s: float) -> int:
    return max(int(duration_s * 1000), 1)
