"""Retrying what fails because something is unavailable, for as long as it is.

Why not a library (tenacity, stamina, backoff): these repeat one call until it returns. Most of
what waits here is a session that never returns, and whose outage is over once it has made
progress; and an outage is two lines of the log, whatever the number of attempts.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from streams.metrics import Metrics, Stage
from streams.outage import Outage, What
from streams.pauses import Pauses

T = TypeVar("T")

#: What each error means to be unavailable. None: not to be retried, whatever follows. The first
#: that fits counts.
Transient = Mapping[type[Exception], What | None]


class Retry:
    """For one user of what may be unavailable; one call at a time.

    Only errors that `transient` names are retried; every other one, and a cancellation, passes at
    once. Each failure is counted as `<what>_unavailable` of a stage. Each outage is two lines of
    `logger`, or none without one.
    """

    def __init__(
        self,
        transient: Transient,
        logger: logging.Logger | None = None,
        pauses: Pauses | None = None,
        *,
        count: tuple[Metrics, Stage] | None = None,
        within_s: float | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`within_s`: a call raises the last error instead of a pause that would end later."""
        self._transient = transient
        self._named = tuple(transient)
        self._outage = Outage(logger, now_s=now_s)
        self._pauses = pauses or Pauses()
        self._count = count
        self._within_s = within_s
        self._now_s = now_s

    @property
    def what(self) -> What | None:
        """What is unavailable; None while nothing is."""
        return self._outage.what

    @property
    def trouble(self) -> str:
        """Why the last attempt failed; empty while nothing is unavailable."""
        return self._outage.reason

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns, once it does; it must be safe to repeat.

        Work that lasts calls `succeeded` itself whenever it is under way.
        """
        within_s = float("inf") if self._within_s is None else self._within_s
        until_s = self._now_s() + within_s
        while True:
            try:
                result = await work()
            except self._named as error:
                if self._means(error) is None or self._now_s() + self._pauses.next_s > until_s:
                    raise
                self.note(error)
                await self._pauses.pause()
            else:
                self.succeeded()
                return result

    def note(self, error: Exception) -> None:
        """Count and log a failure. Called by `call`, and by who pauses otherwise."""
        what = self._means(error)
        assert what is not None
        if self._count is not None:
            metrics, stage = self._count
            metrics.error(stage, f"{what}_unavailable")
        self._outage.begin(what, str(error) or type(error).__name__)

    async def pause(self) -> None:
        """As after a failure of `call`."""
        await self._pauses.pause()

    def succeeded(self) -> None:
        """The outage is over; the next one begins with the first pause."""
        self._outage.end()
        self._pauses.reset()

    def _means(self, error: Exception) -> What | None:
        return next(what for kind, what in self._transient.items() if isinstance(error, kind))
