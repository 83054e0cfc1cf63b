"""The log of one folder in this process, which EmbeddedLog and the Faust transport share.

Everything here runs on one event loop. `submit` assigns offsets in the order of its calls; the
writer makes records durable in that order; only then do readers see them.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from streams.byte_budget import ByteBudget
from streams.clock import Clock
from streams.embedded import rows
from streams.embedded.folder import LOCK, opened_database
from streams.embedded.lock import ProcessLock
from streams.embedded.partition import PartitionState, TopicState, row_of
from streams.embedded.settings import Settings
from streams.embedded.store import Store
from streams.embedded.tail import Tail, size_of
from streams.embedded.upkeep import Upkeep
from streams.embedded.writer import Unit, Writer
from streams.log import LogClosed, LogError, OffsetTooOld, Partition, Record
from streams.space import Space
from streams.topics import Topic

#: A read from the database stops after so many bytes of values: it runs on the event loop.
_READ_BYTES = 1 << 20


class Entry(NamedTuple):
    """A record for a partition that has no offset yet."""

    state: PartitionState
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]


class Engine:
    """One per folder and process (see sharing.py). Created and called on one event loop."""

    def __init__(self, folder: Path, settings: Settings, clock: Clock) -> None:
        """Blocks while RocksDB recovers. Raises LogInUse, LogDamaged, LogFull or LogError."""
        self.folder = folder
        self.settings = settings
        self._clock = clock
        self.error: LogError | None = None
        self.room = ByteBudget(settings.buffer_bytes)
        self._tail = Tail(settings.tail_bytes)
        self._outstanding: dict[Unit, None] = {}
        self._listeners: set[asyncio.Event] = set()
        self._lock = _prepared(folder)
        self._space = Space(folder, settings.free_bytes)
        try:
            database = opened_database(folder, sync=settings.sync)
            self._store = Store(database)
        except BaseException:
            self._lock.put_back()
            raise
        self.topics = self._store.topics
        self.commits = self._store.commits
        loop = asyncio.get_running_loop()

        def compacted(partition: Partition) -> None:
            with suppress(RuntimeError):  # the event loop has ended before the log
                loop.call_soon_threadsafe(self._tail.forget, partition)

        upkeep = Upkeep(database, self.topics, settings, clock, compacted)
        self._writer = Writer(
            database,
            clock=clock,
            durable=self._on_durable,
            failed=self._on_failed,
            upkeep=upkeep.step,
            space=self._space,
        )

    def check(self) -> None:
        """Raises the error that stopped the log, if any: LogClosed after `close`."""
        if self.error is not None:
            raise type(self.error)(*self.error.args) from self.error

    @property
    def held(self) -> str:
        """The shortage of disk space that pauses intake; empty while there is enough space."""
        return self._writer.held or self._space.shortage()

    def create(self, topic: Topic, partitions: int) -> "asyncio.Future[None] | None":
        """Create a topic, or change its settings; an existing one keeps its partitions.

        The topic is usable immediately and durable when the returned future resolves; None if
        nothing changes. Raises LogFull if the disk has no space for a new topic: the caller is
        starting and must not wait.
        """
        self.check()
        state = self.topics.get(topic.name)
        if state is None:
            self._space.check()
            row = row_of(topic, self._next_topic_id(), partitions)
            state = self.topics[topic.name] = TopicState(topic.name, row)
            state.partitions = [
                PartitionState(state, number, rows.PartitionRow()) for number in range(partitions)
            ]
        elif (row := row_of(topic, state.id, state.row.partitions)) == state.row:
            return None
        state.row = row
        unit = self._unit()
        key = rows.topic_key(topic.name)
        unit.rows[key] = rows.seal_struct(key, row)
        self._put(unit)
        self.wake()
        return unit.done

    def submit(
        self,
        entries: Iterable[Entry],
        commits: Mapping[tuple[str, Partition], int] | None = None,
    ) -> tuple[list[tuple[Partition, int]], "asyncio.Future[None]"]:
        """Submit records and commits that become durable and readable together.

        Returns the records' partitions and offsets, and a future that resolves once all is
        durable, or fails with a LogError. Never waits. The caller reserves `size_of_entries` bytes
        in `room` (`enter` or `force`); the engine returns them once all is durable. Raises the
        error that stopped the log.
        """
        self.check()
        unit = self._unit()
        places = []
        now_ms = self._clock.now_ms()
        for state, timestamp_ms, key, value, headers in entries:
            offset = state.assigned
            state.assigned = offset + 1
            record = Record(offset, timestamp_ms, key, value, headers, now_ms)
            unit.records.setdefault(state, []).append(record)
            unit.size += size_of(key, value)
            places.append((state.partition, offset))
        if commits:
            unit.commits.update(commits)
        self._put(unit)
        return places, unit.done

    def read(self, state: PartitionState, offset: int, max_records: int) -> Sequence[Record]:
        """Durable records from `offset` on, at most `max_records`; empty at the end.

        Does not wait for new records, but blocks for the disk below the tail. Raises OffsetTooOld,
        LogDamaged, or the error that stopped the log.
        """
        self.check()
        if offset >= state.next:
            return ()
        found = self._tail.read(state.partition, offset, max_records)
        if found is None:
            found = self._stored(state, offset, max_records)
        if offset < state.first:
            raise OffsetTooOld(state.partition, offset, state.first)
        return found

    def end(self, state: PartitionState) -> int:
        """The position of a reader that has read everything: one above the last readable record.

        Less than `next` only after a torn tail was cut off.
        """
        if state.first == state.next:
            return state.next
        if self._tail.read(state.partition, state.next - 1, 1):
            return state.next
        last = self._store.last_record(state)
        return last.offset + 1 if last else state.first

    def listen(self) -> asyncio.Event:
        """An event, set whenever new records are readable or the log stops; the caller clears it.

        Each call needs an `unlisten`.
        """
        event = asyncio.Event()
        self._listeners.add(event)
        return event

    def unlisten(self, event: asyncio.Event) -> None:
        self._listeners.discard(event)

    async def close(self) -> None:
        """Returns when everything submitted is durable, or failed for lack of disk space.

        Waiting readers, appends that wait for buffer space, and all later calls get LogClosed.
        """
        if self.error is None:
            self.error = LogClosed(f"log in {self.folder} is closed")
        self.wake()
        self.room.fail(self.error)
        await self._writer.close()
        self._lock.release()

    def _stored(self, state: PartitionState, offset: int, max_records: int) -> list[Record]:
        found: list[Record] = []
        size = 0
        for batch in self._store.records(state, offset):
            for record in batch:
                if record.offset >= state.next or len(found) >= max_records:
                    return found
                if record.offset >= offset:
                    found.append(record)
                    size += len(record.value or b"")
            if size >= _READ_BYTES:
                break
        return found

    def _next_topic_id(self) -> int:
        return max((topic.id for topic in self.topics.values()), default=-1) + 1

    def _unit(self) -> Unit:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_retrieved)
        return Unit(done)

    def _put(self, unit: Unit) -> None:
        self._outstanding[unit] = None
        self._writer.put(unit)

    def _on_durable(self, units: list[Unit]) -> None:
        for unit in units:
            for state, records in unit.records.items():
                self._tail.add(state.partition, records)
                state.next = records[-1].offset + 1
            for (group, partition), offset in unit.commits.items():
                self.commits.setdefault(group, {})[partition] = offset
        self.wake()
        for unit in units:
            self._outstanding.pop(unit, None)
            self.room.leave(unit.size)
            if not unit.done.done():
                unit.done.set_result(None)

    def _on_failed(self, error: LogError, _units: list[Unit]) -> None:
        self.error = error
        self.room.fail(error)
        for unit in self._outstanding:
            if not unit.done.done():
                unit.done.set_exception(type(error)(*error.args))
        self._outstanding.clear()
        self.wake()

    def wake(self) -> None:
        for event in self._listeners:
            event.set()


def size_of_entries(entries: Iterable[Entry]) -> int:
    return sum(size_of(entry.key, entry.value) for entry in entries)


def _prepared(folder: Path) -> ProcessLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LogError(f"log in {folder} cannot be made: {error.strerror}") from error
    return ProcessLock(folder / LOCK)


def _retrieved(done: "asyncio.Future[None]") -> None:
    """Marks an exception as retrieved: not every caller of `submit` waits for the outcome."""
    if not done.cancelled():
        done.exception()
