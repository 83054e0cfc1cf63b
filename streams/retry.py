"""Retries work while something that it needs is unavailable.

Why not a library (tenacity, stamina, backoff): these repeat a call until it returns. Most callers
here run a session that never returns, and whose outage is over once it has made progress; and an
outage is two log lines, whatever the number of attempts.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from streams.metrics import Metrics, Stage
from streams.outage import Outage, What
from streams.pauses import Pauses

T = TypeVar("T")

#: What is unavailable, by type of error; None: never retry. The first matching type counts.
Transient = Mapping[type[Exception], What | None]


class Retry:
    """The retries of one user; one call at a time.

    Retries only errors that `transient` names; any other error, and a cancellation, propagates at
    once. Counts each failure as `<what>_unavailable` of a stage. Each outage is two lines of
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
        """With `within_s` a call raises the last error instead of pausing beyond that time."""
        self._transient = transient
        self._named = tuple(transient)
        self._outage = Outage(logger, now_s=now_s)
        self._pauses = pauses or Pauses()
        self._count = count
        self._within_s = within_s
        self._now_s = now_s

    @property
    def what(self) -> What | None:
        """What is unavailable; None without an outage."""
        return self._outage.what

    @property
    def trouble(self) -> str:
        """Why the last attempt failed; empty without an outage."""
        return self._outage.reason

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Call `work` until it returns; returns its result. `work` must be safe to repeat.

        Long-running work calls `succeeded` whenever it makes progress.
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
        """Count and log a failure. Called by `call`, and by callers that pause otherwise."""
        what = self._means(error)
        assert what is not None
        if self._count is not None:
            metrics, stage = self._count
            metrics.error(stage, f"{what}_unavailable")
        self._outage.begin(what, str(error) or type(error).__name__)

    async def pause(self) -> None:
        """Pause as `call` does after a failure."""
        await self._pauses.pause()

    def succeeded(self) -> None:
        """The outage is over; the next one begins with the first pause."""
        self._outage.end()
        self._pauses.reset()

    def _means(self, error: Exception) -> What | None:
        return next(what for kind, what in self._transient.items() if isinstance(error, kind))
