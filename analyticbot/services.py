"""The services of a process: they run side by side, start in order and stop in reverse."""

import asyncio
import logging
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from analyticbot.failure import Failure

logger = logging.getLogger(__name__)

_MOMENT_S = 0.25


class Services:
    """Runs services until one fails, one ends, or the block is left. Restarts none.

    Leaving the block cancels the services one by one in reverse order, so that a source stops
    before its consumers. A service that does not end within `patience_s` is abandoned with a
    warning. All services together get `stop_s`; those cancelled later get a moment only.
    """

    def __init__(self, patience_s: float = 4.0, stop_s: float = 15.0) -> None:
        self._services: list[asyncio.Task[None]] = []
        self._patience_s = patience_s
        self._stop_s = stop_s

    def add(self, name: str, service: Coroutine[Any, Any, None]) -> None:
        self._services.append(asyncio.create_task(service, name=name))

    async def watch(self, stop: asyncio.Event) -> None:
        """Returns when `stop` is set. Raises Failure if a service ends before that."""
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                (stopping, *self._services), return_when=asyncio.FIRST_COMPLETED
            )
            for service in (service for service in self._services if service in done):
                raise Failure(f"{service.get_name()} stopped: {_reason(service)}") from (
                    None if service.cancelled() else service.exception()
                )
        finally:
            stopping.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        stopped_s = loop.time() + self._stop_s
        for service in reversed(self._services):
            service.cancel()
            left_s = max(stopped_s - loop.time(), _MOMENT_S)
            _, pending = await asyncio.wait((service,), timeout=min(self._patience_s, left_s))
            if pending:
                logger.warning("service_does_not_stop", extra={"service": service.get_name()})
            elif not service.cancelled() and (reason := service.exception()) and error is None:
                logger.error(
                    "service_failed", extra={"service": service.get_name(), "reason": repr(reason)}
                )


def _reason(service: asyncio.Task[None]) -> str:
    if service.cancelled():
        return "cancelled"
    error = service.exception()
    return "it ended unexpectedly" if error is None else f"{error}" or type(error).__name__
