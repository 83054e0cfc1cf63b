"""The parts of a process that run side by side: started in order, stopped in reverse."""

import asyncio
import logging
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from analyticbot.failure import Failure

logger = logging.getLogger(__name__)

_MOMENT_S = 0.25


class Crew:
    """Runs members until one fails, one ends by itself, or the crew is left.

    Leaving cancels the members in reverse order, one after the other, so that a source has stopped
    before what it feeds; a member that does not end within `patience_s` is left behind, with a
    warning. All of them together get `stop_s`: who is cancelled after that gets a moment only.
    """

    def __init__(self, patience_s: float = 4.0, stop_s: float = 15.0) -> None:
        self._members: list[asyncio.Task[None]] = []
        self._patience_s = patience_s
        self._stop_s = stop_s

    def add(self, name: str, member: Coroutine[Any, Any, None]) -> None:
        self._members.append(asyncio.create_task(member, name=name))

    async def watch(self, stop: asyncio.Event) -> None:
        """Returns when `stop` is set. Raises Failure when a member ended before that."""
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                (stopping, *self._members), return_when=asyncio.FIRST_COMPLETED
            )
            for member in (member for member in self._members if member in done):
                raise Failure(f"{member.get_name()} stopped: {_reason(member)}") from (
                    None if member.cancelled() else member.exception()
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
        for member in reversed(self._members):
            member.cancel()
            left_s = max(stopped_s - loop.time(), _MOMENT_S)
            _, pending = await asyncio.wait((member,), timeout=min(self._patience_s, left_s))
            if pending:
                logger.warning("member_does_not_stop", extra={"member": member.get_name()})
            elif not member.cancelled() and (reason := member.exception()) and error is None:
                logger.error(
                    "member_failed", extra={"member": member.get_name(), "reason": repr(reason)}
                )


def _reason(member: asyncio.Task[None]) -> str:
    if member.cancelled():
        return "cancelled"
    error = member.exception()
    return "it ended by itself" if error is None else f"{error}" or type(error).__name__
