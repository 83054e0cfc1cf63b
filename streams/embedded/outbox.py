"""What a Faust app has produced and has not yet handed to the log.

It goes to the log together with the offsets of the messages it was made from, in one unit: rows of
changelogs, outputs and offsets are all there after a crash, or none is. Whatever lies here when a
commit begins was made by messages that are processed: the engine's bodies never await, and what
ordinary agents make gets here when their message may be committed (driver.effects).
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

from streams.embedded.engine import Engine, Entry, size_of_entries
from streams.embedded.tail import size_of
from streams.log import LogClosed, LogError, Partition

#: Called with where the record went, when it is durable; or with why it never will be.
Promise = Callable[[tuple[Partition, int] | LogError], None]


class Outbox:
    """One a Faust app. All calls from the event loop; none of them waits."""

    def __init__(self, engine: Engine, group: str) -> None:
        self.engine = engine
        self.group = group
        #: Set when there is something that a commit would write.
        self.filled = asyncio.Event()
        self.stopped = False
        self._sent: list[Entry] = []
        #: Of those of what was sent that somebody waits for, by place in it.
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
