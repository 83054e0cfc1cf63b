"""Takes up what `analyticbot follow` and `unfollow` changed while the collector runs."""

import asyncio
import logging
from typing import Protocol

from control.announcer import Change, announce
from control.store import ControlError, ControlStore
from streams.clock import Clock
from streams.log import Log
from streams.sources.cursors import Followed

logger = logging.getLogger(__name__)

#: How often the control store is asked. The command runs in another process, which cannot open the
#: embedded log, so the store is where both meet.
EVERY_S = 2.0


class Follower(Protocol):
    """What the collector can be told."""

    async def follow(self, followed: Followed) -> None: ...

    async def unfollow(self, reference: str) -> None: ...


async def keep_following(
    collector: Follower, control: ControlStore, log: Log, clock: Clock, every_s: float = EVERY_S
) -> None:
    """Until cancelled. A store that is away is asked again."""
    known = {one.reference for one in await control.followed()}
    while True:
        await asyncio.sleep(every_s)
        try:
            followed = {one.reference: one for one in await control.followed()}
        except ControlError as error:
            logger.warning("control_away", extra={"reason": str(error)})
            continue
        if followed.keys() == known:
            continue
        for reference in followed.keys() - known:
            await collector.follow(followed[reference])
        for reference in known - followed.keys():
            await collector.unfollow(reference)
        known = set(followed)
        await announce(log, Change(kind="channels", at_ms=clock.now_ms()))
