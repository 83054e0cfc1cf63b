"""Records that a Faust app has produced and not yet submitted to the log.

A commit submits them together with the offsets of the messages that they resulted from, in one
unit: after a crash, changelog rows, outputs and offsets are all present, or none is. All records
here when a commit begins result from processed messages: the engine's bodies never await, and the
records of ordinary agents arrive here when their message may be committed (streams.faust.effects).
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

from streams.embedded.engine import Engine, Entry, size_of_entries
from streams.embedded.tail import size_of
from streams.log import LogClosed, LogError, Partition

#: Called with the record's partition and offset once it is durable, or with the error otherwise.
Promise = Callable[[tuple[Partition, int] | LogError], None]


class Outbox:
    """One per Faust app. Called from the event loop only; no method waits."""

    def __init__(self, engine: Engine, group: str) -> None:
        self.engine = engine
        self.group = group
        #: Set while there are records to commit.
        self.filled = asyncio.Event()
        self.stopped = False
        self._sent: list[Entry] = []
        #: By index in `_sent`, for the records whose sender waits.
        self._promises: dict[int, Promise] = {}

    def add(self, entry: Entry, promise: Promise | None = None) -> None:
        if self.stopped:
            if promise is not None:
                promise(LogClosed("commits were stopped: nothing more is sent"))
            return
        if promise is not None:
            self._promises[len(self._sent)] = promise
        self.engine.room.force(size_of(entry.key, entry.value))
        self._sent.append(entry)
        self.filled.set()

    def commit(self, offsets: Mapping[Partition, int]) -> "asyncio.Future[None] | None":
        """Submits all added records with the group's `offsets`, as one unit.

        Returns a future that resolves once the unit is durable; None if there is nothing to
        commit, or after `stop`. Raises the error that stopped the log.
        """
        self.filled.clear()
        if self.stopped or not (self._sent or offsets):
            return None
        return self._hand_over({(self.group, tp): offset for tp, offset in offsets.items()})

    def stop(self) -> None:
        """Submits nothing more. Fails the promises of uncommitted records with LogClosed."""
        self.stopped = True
        self._break(LogClosed("commits were stopped"))

    def _hand_over(self, commits: Mapping[tuple[str, Partition], int]) -> "asyncio.Future[None]":
        self.engine.check()
        sent, promises = self._take()
        places, done = self.engine.submit(sent, commits)
        if promises:
            done.add_done_callback(partial(_settle, promises, places))
        return done

    def _take(self) -> tuple[list[Entry], Mapping[int, Promise]]:
        taken = self._sent, self._promises
        self._sent, self._promises = [], {}
        return taken

    def _break(self, error: LogError) -> None:
        sent, promises = self._take()
        self.engine.room.leave(size_of_entries(sent))
        for promise in promises.values():
            promise(error)


def _settle(
    promises: Mapping[int, Promise],
    places: list[tuple[Partition, int]],
    done: "asyncio.Future[None]",
) -> None:
    error = LogClosed("given up") if done.cancelled() else done.exception()
    for number, promise in promises.items():
        promise(error if isinstance(error, LogError) else places[number])
