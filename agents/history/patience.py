"""Waits for a store that is unavailable: with growing pauses, and one log line for each outage."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from agents.history.settings import HistorySettings
from clickhouse.history import HistoryUnavailable
from streams.metrics import Metrics

T = TypeVar("T")

_logger = logging.getLogger(__name__)


class Patience:
    def __init__(self, settings: HistorySettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics

    async def insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it until it is done. Errors other than HistoryUnavailable pass."""
        pause_s, unavailable = self._settings.first_pause_s, False
        while True:
            try:
                result = await work()
            except HistoryUnavailable as error:
                self._metrics.error("history", "unavailable")
                if not unavailable:
                    _logger.warning("history_unavailable", extra={"reason": str(error)})
                unavailable = True
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self._settings.longest_pause_s)
            else:
                if unavailable:
                    _logger.info("history_available")
                return result
