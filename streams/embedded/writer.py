"""The writer: the one thread that changes the database.

It takes what has been submitted since it last looked, writes all of it in one atomic write, waits
for the disk once, and tells the event loop. Between writes, and now and then among them, it does
one short step of upkeep; so nothing else ever writes, and nothing needs a lock.
"""

import asyncio
import atexit
import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from streams.clock import Clock
from streams.database import Database, Write
from streams.embedded import rows
from streams.embedded.partition import PartitionState
from streams.log import LogError, LogFull, Partition, Record

logger = logging.getLogger(__name__)

#: No write takes more than this at once, so that nobody waits long for others' bytes.
_GROUP_BYTES = 8 << 20
#: Upkeep gets at most one part in five of the thread's time.
_UPKEEP_SHARE = 4
_SPACE_CHECK_S = 1.0


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
        free_bytes: int,
        folder: Path,
    ) -> None:
        self._database = database
        self._clock = clock
        self._durable = durable
        self._failed = failed
        self._upkeep = upkeep
        self._free_bytes = free_bytes
        self._folder = folder
        self._space_at = 0.0
        self._upkeep_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._units: SimpleQueue[Unit | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()
        atexit.register(self._finish)

    def put(self, unit: Unit) -> None:
        """Units are written in the order in which they are put."""
        self._units.put(unit)

    async def close(self) -> None:
        """Returns when all that was put is durable (or failed) and the database is closed."""
        atexit.unregister(self._finish)
        await self._loop.run_in_executor(None, self._finish)

    def _finish(self) -> None:
        """Also when the process ends without closing: native code must not be cut off."""
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
                self._check_space()
                self._write(units)
            except LogError as error:
                self._fail(error, units)
                return False
            self._tell(self._durable, units)
        if go_on and time.monotonic() >= self._upkeep_at:
            began = time.monotonic()
            pause = self._upkeep()
            now = time.monotonic()
            self._upkeep_at = now + max(pause, (now - began) * _UPKEEP_SHARE)
        return go_on

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

    def _write(self, units: Sequence[Unit]) -> None:
        write = Write()
        merged: dict[PartitionState, list[Record]] = {}
        commits: dict[tuple[str, Partition], int] = {}
        for unit in units:
            for key, row in unit.rows.items():
                write.put(key, row)
            for state, records in unit.records.items():
                merged.setdefault(state, []).extend(records)
            commits.update(unit.commits)
        now_ms = self._clock.now_ms()
        for state, records in merged.items():
            _put_records(write, state, records, now_ms)
        for (group, partition), offset in commits.items():
            key = rows.commit_key(group, partition)
            write.put(key, rows.seal_offset(key, offset))
        self._database.write(write)

    def _check_space(self) -> None:
        now = time.monotonic()
        if now < self._space_at:
            return
        free = shutil.disk_usage(self._folder).free
        if free < self._free_bytes:
            raise LogFull(
                f"log in {self._folder}: {free >> 20} MiB are free on its disk, "
                f"{self._free_bytes >> 20} MiB are needed: make room and start again"
            )
        self._space_at = now + _SPACE_CHECK_S

    def _fail(self, error: LogError, units: list[Unit]) -> None:
        """Nothing more is written. Those who still come are told by the event loop's side."""
        logger.error("log_stopped", extra={"reason": str(error)})
        self._tell(self._failed, error, units)

    def _tell(self, callback: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            logger.debug("event_loop_ended_before_log")


def _put_records(write: Write, state: PartitionState, records: list[Record], now_ms: int) -> None:
    topic_id, number, row = state.topic.id, state.number, state.row
    for chunk in rows.batches(records):
        key = rows.batch_key(topic_id, number, chunk[-1].offset)
        batch = rows.seal_batch(key, chunk, now_ms)
        write.put(key, batch)
        row.size_bytes += len(batch)
    row.next = records[-1].offset + 1
    key = rows.partition_key(topic_id, number)
    write.put(key, rows.seal_struct(key, row))
