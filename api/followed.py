"""What operators follow, beside what was observed: a name that leads nowhere has no history."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from control.store import ControlStore, ControlUnavailable, Followed
from streams.outage import Outage

#: An answer waits so long for the control store, and then goes out without it.
PATIENCE_S: Final = 1.0

_logger = logging.getLogger(__name__)


class FollowedChannels:
    """Of the control store; without one, or while it is unavailable, none are known."""

    def __init__(
        self, control: ControlStore | None = None, *, patience_s: float = PATIENCE_S
    ) -> None:
        self._control = control
        self._patience_s = patience_s
        self._outage = Outage(_logger)

    async def all(self) -> Sequence[Followed]:
        if self._control is None:
            return ()
        try:
            async with asyncio.timeout(self._patience_s):
                followed = await self._control.followed()
        except ControlUnavailable as error:
            self._outage.begin("control", str(error))
            return ()
        except TimeoutError:
            reason = f"the control store did not answer within {self._patience_s:g} s"
            self._outage.begin("control", reason)
            return ()
        self._outage.end()
        return followed
