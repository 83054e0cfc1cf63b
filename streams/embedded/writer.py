"""The writer: the only thread that changes the database.

The thread writes all units submitted since its last write in one atomic write, waits for the disk
once, and notifies the event loop. It also does upkeep, in short steps after writes and while
idle, so nothing else writes and nothing needs a lock.

While the disk has too little space, the writer pauses: submitted units wait unacknowledged and are
written once there is space.
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

#: A write stops collecting units above this size, so that no unit waits long for others.
_GROUP_BYTES = 8 << 20
#: Upkeep pauses for this many times its last duration: it uses at most a fifth of the time.
_UPKEEP_SHARE = 4
#: Retry interval while the disk is full; limit of the retries after there is space again.
_HOLD_S = 0.5
_RECOVERY_S = 60.0

#: A key and its row.
_Change = tuple[bytes, bytes]


class Unit:
    """Records, commits and rows that become durable together or not at all."""

    __slots__ = ("commits", "done", "records", "rows", "size")

    def __init__(self, done: "asyncio.Future[None]") -> None:
        self.records: dict[PartitionState, list[Record]] = {}
        self.commits: dict[tuple[str, Partition], int] = {}
        self.rows: dict[bytes, bytes] = {}
        self.size = 0
        #: Resolved on the event loop when all is durable, or failed with a LogError.
        self.done = done


class Writer:
    """Created on the event loop, on which it calls `durable` and `failed`.

    Calls `durable` once per write, in the order of `put`; `failed` at most once, after which it
    writes nothing more. Calls `upkeep` on its thread; it does one short step and returns the
    seconds until the next one.
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
        """Why writing is paused; empty while it is not."""
        return self._outage.reason

    def put(self, unit: Unit) -> None:
        """Queue a unit; does not wait. Units become durable in the order of the calls."""
        self._units.put(unit)

    async def close(self) -> None:
        """Returns when all queued units are durable or failed, and the database is closed.

        Does not wait for disk space: units that need it fail.
        """
        atexit.unregister(self._finish)
        await self._loop.run_in_executor(None, self._finish)

    def _finish(self) -> None:
        """Also runs at exit, if the log was not closed: native code must not be interrupted."""
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
        """At most one write and one step of upkeep. False if the log is closed or the write failed.

        Raises LogError if upkeep fails.
        """
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
        """Retries while the disk is full. Raises LogError if nothing more can be written.

        Each attempt writes the same rows in the same batches: a failed one may have left them.
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
        """Log the outage once, let retention free space, and pause."""
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
        """Waits for a unit until upkeep is due; returns it and those queued after it.

        False when the log is closing.
        """
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
        """The changes of all units, and the partitions whose rows now include them."""
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
            # Sealed per attempt: upkeep may have changed the row since the last one.
            key = rows.partition_key(state.topic.id, state.number)
            write.put(key, rows.seal_struct(key, state.row))
        self._database.write(write)

    def _fail(self, error: LogError, units: list[Unit]) -> None:
        """Ends all writing. The event loop fails units that are submitted later."""
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
