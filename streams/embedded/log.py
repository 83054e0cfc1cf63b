"""EmbeddedLog: the port streams.log.Log over an engine."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from streams.clock import Clock
from streams.embedded import sharing
from streams.embedded.engine import Engine, Entry, size_of_entries
from streams.embedded.member import EmbeddedMember
from streams.embedded.partition import PartitionState
from streams.embedded.settings import Settings
from streams.log import Batch, Bounds, Draft, LogClosed, LogError, Offsets, Partition, Record
from streams.partitioner import partition_of
from streams.topics import Topic


class EmbeddedLog:
    """A log in a folder of this machine. Implements streams.log.Log.

    Several handles may share one engine; closing one handle leaves the others open.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closed = False

    @classmethod
    async def open(
        cls, folder: Path, settings: Settings | None = None, clock: Clock | None = None
    ) -> "EmbeddedLog":
        """Opens the log, or creates it. Handles of one folder share the log and the first settings.

        Blocks the event loop while RocksDB recovers. Raises LogInUse (names the other process),
        LogDamaged, LogFull or LogError.
        """
        return cls(sharing.acquire(folder, settings, clock))

    @property
    def held(self) -> str:
        return self._engine.held

    async def create(self, topic: Topic, partitions: int) -> None:
        done = self._checked().create(topic, partitions)
        if done is not None:
            await done

    async def partitions(self, topic: str) -> Sequence[Partition]:
        return [state.partition for state in self._states(topic)]

    async def bounds(self, topic: str) -> Mapping[Partition, Bounds]:
        return {state.partition: state.bounds for state in self._states(topic)}

    async def append(self, drafts: Sequence[Draft]) -> Sequence[tuple[Partition, int]]:
        engine = self._checked()
        if not drafts:
            return []
        entries = [self._entry(draft) for draft in drafts]
        size = size_of_entries(entries)
        await engine.room.enter(size)
        try:
            places, done = engine.submit(entries)
        except LogError:
            engine.room.leave(size)
            raise
        await done
        return places

    def subscribe(
        self,
        topics: Sequence[str],
        start: Offsets | None = None,
        *,
        max_records: int = 500,
    ) -> AsyncIterator[Batch]:
        positions = dict(start or {})
        for topic in topics:
            for state in self._states(topic):
                positions.setdefault(state.partition, state.next)
        return self._follow(tuple(topics), positions, max_records)

    async def read(self, partition: Partition, offset: int, max_records: int) -> Sequence[Record]:
        return self._checked().read(self._state(partition), offset, max_records)

    async def committed(self, group: str) -> Offsets:
        return dict(self._checked().commits.get(group, {}))

    async def commit(self, group: str, offsets: Offsets) -> None:
        commits = {(group, partition): offset for partition, offset in offsets.items()}
        _, done = self._checked().submit((), commits)
        await done

    async def join(
        self, group: str, topics: Sequence[str], *, instance: str | None = None
    ) -> EmbeddedMember:
        self._checked()
        return EmbeddedMember(self, group, topics)

    async def close(self) -> None:
        """Closes this handle. Closing the last one closes the log and returns when it is closed."""
        if not self._closed:
            self._closed = True
            self._engine.wake()
            await sharing.release(self._engine)

    async def _follow(
        self, topics: tuple[str, ...], positions: dict[Partition, int], max_records: int
    ) -> AsyncIterator[Batch]:
        engine = self._checked()
        news = engine.listen()
        try:
            while True:
                news.clear()
                found = False
                for topic in topics:
                    for state in self._states(topic):
                        batch = self._next(state, positions, max_records)
                        if batch is not None:
                            found = True
                            yield batch
                            # A reader that is far behind must not starve the event loop.
                            await asyncio.sleep(0)
                if not found:
                    await news.wait()
        finally:
            engine.unlisten(news)

    def _next(
        self, state: PartitionState, positions: dict[Partition, int], max_records: int
    ) -> Batch | None:
        position = positions.setdefault(state.partition, 0)
        if position > state.next:
            raise LogError(f"{state.partition}: {position} is beyond the end, {state.next}")
        records = self._checked().read(state, position, max_records)
        if not records:
            return None
        batch = Batch(state.partition, records)
        positions[state.partition] = batch.next_offset
        return batch

    def _entry(self, draft: Draft) -> Entry:
        states = self._states(draft.topic)
        if not states:
            raise LogError(f"there is no topic {draft.topic!r}: create it first")
        state = states[partition_of(draft.key, len(states))]
        return Entry(state, draft.timestamp_ms, draft.key, draft.value, draft.headers)

    def _states(self, topic: str) -> Sequence[PartitionState]:
        found = self._checked().topics.get(topic)
        return found.partitions if found else ()

    def _state(self, partition: Partition) -> PartitionState:
        states = self._states(partition.topic)
        if not 0 <= partition.number < len(states):
            raise LogError(f"no such partition: {partition.topic}/{partition.number}")
        return states[partition.number]

    def _checked(self) -> Engine:
        if self._closed:
            raise LogClosed("this log was closed")
        self._engine.check()
        return self._engine
