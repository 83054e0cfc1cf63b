"""Logs outages: `unavailable` when one begins, `available` when it is over."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Literal

#: What may be unavailable. `tables`: of a worker on Kafka, while its disk is full.
What = Literal["control", "history", "log", "tables", "telegram"]


class Outage:
    """The outages of what one user needs. Used by one thread at a time.

    Each outage is two lines of the waiting part's logger, however often it is noted; without a
    logger, none.
    """

    def __init__(
        self,
        logger: logging.Logger | None,
        level: int = logging.WARNING,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._level = level
        self._now_s = now_s
        self._since_s = 0.0
        #: What is unavailable, as first noted; None without an outage.
        self.what: What | None = None
        #: The reason, as last noted; empty without an outage.
        self.reason = ""

    def begin(self, what: What, reason: str, **fields: object) -> None:
        """Note an outage; call it also while it lasts."""
        self.reason = reason
        if self.what is None:
            self.what, self._since_s = what, self._now_s()
            extra = {"what": what, "reason": reason, **fields}
            self._log(self._level, "unavailable", extra)

    def end(self) -> None:
        """End the outage, if there is one."""
        if self.what is not None:
            # The same level as the beginning, so that both lines are visible or neither.
            extra = {"what": self.what, "after_s": round(self._now_s() - self._since_s, 1)}
            self._log(logging.WARNING, "available", extra)
            self.what, self.reason = None, ""

    def _log(self, level: int, event: str, extra: Mapping[str, object]) -> None:
        if self._logger is not None:
            self._logger.log(level, event, extra=extra)
