"""The writer: the one thread that changes the database.

It takes what has been submitted since it last looked, writes all of it in one atomic write, waits
for the disk once, and tells the event loop. Between writes, and now and then among them, it does
one short step of upkeep; so nothing else ever writes, and nothing needs a lock.

While the disk has too little room it holds: what was submitted waits, unacknowledged, and is
written once there is room.
"""

import asyncio
import atexit
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from queue import Empty, SimpleQueue

from streams.clock import Clock
from streams.database import Database, NoSpace, Write
from streams.embedded import rows
from streams.embedded.partition import PartitionState
from streams.log import LogError, Partition, Record
from streams.outage import Outage
from streams.space import Space

logger = logging.getLogger(__name__)

#: No write takes more than this at once, so that nobody waits long for others' bytes.
_GROUP_BYTES = 8 << 20
#: Upkeep gets at most one part in five of the thread's time.
_UPKEEP_SHARE = 4
#: While it holds it tries again so often, and no longer than so long where there is room.
_HOLD_S = 0.5
_RECOVERY_S = 60.0

#: A key and its row.
_Change = tuple[bytes, bytes]


class Unit:
    """What becomes durable together or not at all."""

    __slots__ = ("commits", "done", "records", "rows", "size")

    def __init__(self, done: "asyncio.Future[None]") -> None:
        self.records: dict[PartitionState, list[Record]] = {}
        self.commits: dict[tuple[str, Partition], int] = {}
        self.rows: dict[bytes, bytes] = {}
        self.size = 0
        #: Resolved on the event loop when all is durable, or failed with a LogError.
        self.done = done


class Writer:
    """`durable` and `failed` are called on the event loop; `upkeep` on the thread.

    `upkeep` does one short step and returns how many seconds later it wants the next.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        durable: Callable[[list[Unit]], None],
        failed: Callable[[LogError, list[Unit]], None],
        upkeep: Callable[[], float],
        space: Space,
    ) -> None:
        self._database = database
        self._clock = clock
        self._durable = durable
        self._failed = failed
        self._upkeep = upkeep
        self._space = space
        self._outage = Outage(logger, logging.ERROR)
        self._closing = threading.Event()
        self._upkeep_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._units: SimpleQueue[Unit | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()
        atexit.register(self._finish)

    @property
    def held(self) -> str:
        """Why nothing is written now; empty while it is."""
        return self._outage.reason

    def put(self, unit: Unit) -> None:
        """Units are written in the order in which they are put."""
        self._units.put(unit)

    async def close(self) -> None:
        """Returns when all that was put is durable (or failed) and the database is closed.

        What waits for room fails.
        """
        atexit.unregister(self._finish)
        await self._loop.run_in_executor(None, self._finish)

    def _finish(self) -> None:
        """Also when the process ends without closing: native code must not be cut off."""
        self._closing.set()
        self._units.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except LogError as error:
            self._fail(error, [])
        try:
            self._database.close()
        except LogError as error:
            logger.warning("log_closed_badly", extra={"reason": str(error)})

    def _turn(self) -> bool:
        """One write, or one step of upkeep. False when the log is closed."""
        units, go_on = self._take()
        if units:
            try:
                self._store(units)
            except LogError as error:
                self._fail(error, units)
                return False
            self._tell(self._durable, units)
        self._keep_up()
        return go_on

    def _store(self, units: Sequence[Unit]) -> None:
        """Holds while there is no room. Raises LogError: nothing more can be written.

        The same rows in the same batches each time: a try that failed may have left them there.
        """
        changes, states = self._changes(units)
        since_s = None
        while True:
            try:
                self._space.check()
                self._write(changes, states)
            except NoSpace as error:
                now_s = time.monotonic()
                since_s = (since_s or now_s) if self._space.suffices() else None
                if self._closing.is_set() or now_s - (since_s or now_s) > _RECOVERY_S:
                    raise
                self._hold(error)
            else:
                break
        self._outage.end()

    def _hold(self, error: NoSpace) -> None:
        """Say so once, go on to remove what may go, and pause."""
        self._outage.begin("log", str(error))
        self._keep_up()
        self._closing.wait(_HOLD_S)

    def _keep_up(self) -> None:
        if time.monotonic() < self._upkeep_at:
            return
        began = time.monotonic()
        try:
            pause = self._upkeep()
        except NoSpace:
            pause = _HOLD_S
        now = time.monotonic()
        self._upkeep_at = now + max(pause, (now - began) * _UPKEEP_SHARE)

    def _take(self) -> tuple[list[Unit], bool]:
        """Waits for a unit until upkeep is due; then takes those that have come meanwhile."""
        units: list[Unit] = []
        size = 0
        try:
            unit = self._units.get(timeout=max(self._upkeep_at - time.monotonic(), 0.0005))
            while unit is not None:
                units.append(unit)
                size += unit.size
                if size > _GROUP_BYTES:
                    return units, True
                unit = self._units.get_nowait()
        except Empty:
            return units, True
        return units, False

    def _changes(self, units: Sequence[Unit]) -> tuple[list[_Change], Collection[PartitionState]]:
        """What the units come to, and the partitions whose rows count it from now on."""
        changes: list[_Change] = []
        merged: dict[PartitionState, list[Record]] = {}
        commits: dict[tuple[str, Partition], int] = {}
        for unit in units:
            changes += unit.rows.items()
            for state, records in unit.records.items():
                merged.setdefault(state, []).extend(records)
            commits.update(unit.commits)
        now_ms = self._clock.now_ms()
        for state, records in merged.items():
            changes += _batches(state, records, now_ms)
        for (group, partition), offset in commits.items():
            key = rows.commit_key(group, partition)
            changes.append((key, rows.seal_offset(key, offset)))
        return changes, merged.keys()

    def _write(self, changes: Sequence[_Change], states: Collection[PartitionState]) -> None:
        write = Write()
        for key, row in changes:
            write.put(key, row)
        for state in states:
            # As it is now: upkeep may have changed it since the last try.
            key = rows.partition_key(state.topic.id, state.number)
            write.put(key, rows.seal_struct(key, state.row))
        self._database.write(write)

    def _fail(self, error: LogError, units: list[Unit]) -> None:
        """Nothing more is written. Those who still come are told by the event loop's side."""
        if not self._closing.is_set():
            logger.error("log_stopped", extra={"reason": str(error)})
        self._tell(self._failed, error, units)

    def _tell(self, callback: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            logger.debug("event_loop_ended_before_log")


def _batches(state: PartitionState, records: list[Record], now_ms: int) -> Iterator[_Change]:
    for chunk in rows.batches(records):
        key = rows.batch_key(state.topic.id, state.number, chunk[-1].offset)
        batch = rows.seal_batch(key, chunk, now_ms)
        yield key, batch
        state.row.size_bytes += len(batch)
    state.row.next = records[-1].offset + 1
