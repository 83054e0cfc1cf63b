"""What a Faust app has produced and has not yet handed to the log.

It goes to the log together with the offsets of the messages it was made from, in one unit: rows of
changelogs, outputs and offsets are all there after a crash, or none is. Whatever lies here when a
commit begins was made by messages that are processed: the engine's bodies never await, and what
ordinary agents make gets here when their message may be committed (driver.effects).
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from streams.embedded.engine import Engine, Entry
from streams.embedded.tail import size_of
from streams.log import LogClosed, LogError, Partition

#: Called with where the record went, when it is durable; or with why it never will be.
Promise = Callable[[tuple[Partition, int] | LogError], None]


class _Sent(NamedTuple):
    entry: Entry
    promise: Promise


class Outbox:
    """One a Faust app. All calls from the event loop; none of them waits."""

    def __init__(self, engine: Engine, group: str) -> None:
        self.engine = engine
        self.group = group
        #: Set when there is something that a commit would write.
        self.filled = asyncio.Event()
        self.stopped = False
        self._sent: list[_Sent] = []

    def add(self, entry: Entry, promise: Promise) -> None:
        if self.stopped:
            promise(LogClosed("commits were stopped: nothing more is sent"))
            return
        self.engine.room.force(size_of(entry.key, entry.value))
        self._sent.append(_Sent(entry, promise))
        self.filled.set()

    def commit(self, offsets: Mapping[Partition, int]) -> "asyncio.Future[None] | None":
        """Hands over what was sent, with `offsets` of the group. None where there is nothing to.

        Raises what has stopped the log.
        """
        self.filled.clear()
        if self.stopped or not (self._sent or offsets):
            return None
        return self._hand_over({(self.group, tp): offset for tp, offset in offsets.items()})

    def stop(self) -> None:
        """From now on nothing is handed over: what was sent and not committed has not happened."""
        self.stopped = True
        self._break(self._take(), LogClosed("commits were stopped"))

    def _hand_over(self, commits: Mapping[tuple[str, Partition], int]) -> "asyncio.Future[None]":
        self.engine.check()
        sent = self._take()
        places, done = self.engine.submit((entry for entry, _ in sent), commits)
        if sent:
            done.add_done_callback(partial(_settle, sent, places))
        return done

    def _take(self) -> list[_Sent]:
        sent, self._sent = self._sent, []
        return sent

    def _break(self, sent: list[_Sent], error: LogError) -> None:
        for entry, promise in sent:
            self.engine.room.leave(size_of(entry.key, entry.value))
            promise(error)


def _settle(
    sent: list[_Sent], places: list[tuple[Partition, int]], done: "asyncio.Future[None]"
) -> None:
    error = LogClosed("given up") if done.cancelled() else done.exception()
    if isinstance(error, LogError):
        for _, promise in sent:
            promise(error)
        return
    for (_, promise), place in zip(sent, places, strict=True):
        promise(place)
