"""A pipeline run without Faust or a log: topics, tables and commits are lists and dictionaries."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from agents.engine.body import Body, Graveyard
from agents.engine.cache import RowCache
from agents.engine.dead import DeadLimit
from agents.engine.decision import Decision, Handler, Input, Reader
from agents.engine.filling import Filling
from agents.engine.gate import Gate
from agents.engine.plan import planned
from agents.engine.ports import Bury
from agents.engine.rebuilds import Rebuilds
from agents.engine.recalling import Archive
from agents.engine.sending import Sender, Spread, sender, spreader
from agents.engine.wiring import wire
from streams.broadcasts import Broadcast, Tick
from streams.clock import Clock
from streams.codec import encode
from streams.context import ProcessorContext, Task
from streams.log import Bounds, OffsetTooOld, Partition, Record
from streams.metrics import Metrics
from streams.topics import AGENTS, Topic, changelog_of
from tables.rows import R


def _fail(error: Exception) -> None:
    raise error


class InMemory:
    """One task, so one partition of each topic: an engine.wiring.Runner and a ProcessorContext.

    What is sent to a topic that the pipeline reads is taken by `run`.
    """

    def __init__(
        self,
        pipeline: Sequence[Decision],
        inputs: Sequence[Input],
        clock: Clock,
        partitions: int = 1,
        before: "InMemory | None" = None,
        archive: Archive | None = None,
    ) -> None:
        """`partitions`: how many a topic has of which this is one. What goes to all is here once
        for each. `before` is a run of another pipeline that has ended: its log and tables are
        kept."""
        self.partitions = partitions
        self.topics: defaultdict[str, list[Record]] = defaultdict(list)
        self.tables: defaultdict[str, dict[bytes, bytes]] = defaultdict(dict)
        self.positions: defaultdict[str, int] = defaultdict(int)
        self._bodies: dict[str, Body] = {}
        self._forget: list[Callable[[], None]] = []
        self._rows: list[RowCache[Any]] = []
        #: How many messages retention has removed, from the beginning of each topic.
        self.removed: defaultdict[str, int] = defaultdict(int)
        self.metrics = Metrics()
        self.rebuilds = Rebuilds()
        if before is not None:
            self.topics, self.tables = before.topics, before.tables
            self.positions = before.positions
        plan = planned(pipeline, inputs, AGENTS)
        #: Of the messages that it sends.
        self.kinds = plan.kinds
        self.wired = wire(self, plan, self.metrics, clock)
        ports: Any = (self, AGENTS, _Kept(self), self.rebuilds, self.metrics)
        self.filling = Filling(self.wired.pasts, *ports, archive=archive, at_once=50)

    def append(self, topic: str, key: bytes | None, value: bytes, timestamp_ms: int) -> None:
        records = self.topics[topic]
        records.append(Record(len(records), timestamp_ms, key, value, {}))

    def tick(self, at_ms: int) -> None:
        """Append a tick where broadcasts begin."""
        self.broadcast(Tick(at_ms=at_ms))

    def broadcast(self, message: Broadcast) -> None:
        for send in self.wired.roots:
            send(0, None, encode(message), message.at_ms)

    def run(
        self,
        size: Callable[[int], int] = lambda left: left,
        pick: Callable[[int], int] = lambda _waiting: 0,
    ) -> None:
        """Until everything is processed. `size` of the next batch, of so many that are left; `pick`
        chooses the topic of which it is, of so many that have some left."""
        while self.step(size, pick):
            pass

    async def fill(self) -> None:
        """Until every decision is live."""
        while await self.filling.round():
            pass

    def run_topic(self, topic: str, end: int | None = None) -> None:
        """Process what one topic holds, up to `end`; what follows from that in others waits."""
        at, records = self.positions[topic], self.topics[topic][:end]
        self._bodies[topic].take(0, records[at:])
        self.positions[topic] = len(records)

    def restart(self, back: Mapping[str, int] | None = None) -> None:
        """As after a crash: nothing decoded is known. `back`: positions to read from again."""
        for forget in self._forget:
            forget()
        self.positions.update(back or {})

    def step(
        self, size: Callable[[int], int], pick: Callable[[int], int] = lambda _waiting: 0
    ) -> bool:
        """Process one batch. False: there is nothing to process."""
        waiting = [name for name in self._bodies if self.positions[name] < len(self.topics[name])]
        if not waiting:
            return False
        topic = waiting[pick(len(waiting))]
        at, records = self.positions[topic], self.topics[topic]
        batch = records[at : at + max(1, size(len(records) - at))]
        self._bodies[topic].take(0, batch)
        self.positions[topic] = at + len(batch)
        return True

    # -- Runner

    def table(self, name: str, row: type[R]) -> RowCache[R]:
        cache = RowCache(self, name, row, 8192)
        self.on_assignment(cache.forget)
        self._rows.append(cache)
        return cache

    def sender(self, topic: str, span: str | None = None) -> Sender:
        return sender(self, topic)

    def graveyard(self, topic: Topic, stage: str) -> Graveyard:
        return Graveyard(topic.name, stage, self.sender(topic.dead), self.metrics)

    def add(
        self,
        topic: Topic,
        stage: str,
        bury: Bury,
        reader: Reader,
        handlers: Mapping[type, Sequence[tuple[str, Handler]]],
        gate: Gate,
    ) -> None:
        self._bodies[topic.name] = Body(
            topic.name,
            stage,
            reader,
            handlers,
            self._rows,
            gate,
            bury=bury,
            metrics=self.metrics,
            limit=DeadLimit(),
            fatal=_fail,
        )

    def spreader(self, topic: str) -> Spread:
        return spreader(self, topic, self.partitions)

    def on_assignment(self, forget: Callable[[], None]) -> None:
        self._forget.append(forget)

    # -- ProcessorContext

    @property
    def context(self) -> ProcessorContext:
        return self

    def owned(self) -> Collection[Task]:
        return (0,)

    def has_room(self, task: Task) -> bool:
        return True

    def position(self, task: Task, topic: str) -> int | None:
        return self.positions.get(topic) or None

    def has_rows(self, task: Task, table: str) -> bool:
        return bool(self.tables[table])

    def send(
        self,
        task: Task,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int,
        headers: Mapping[str, bytes],
    ) -> None:
        records = self.topics[topic]
        records.append(Record(len(records), timestamp_ms, key, value, headers))

    def send_to(
        self,
        task: Task,
        at: Partition,
        value: bytes | None,
        timestamp_ms: int,
        headers: Mapping[str, bytes],
    ) -> None:
        self.send(task, at.topic, None, value, timestamp_ms, headers)

    def row(self, task: Task, table: str, key: bytes) -> bytes | None:
        return self.tables[table].get(key)

    def items(self, task: Task, table: str) -> Iterable[tuple[bytes, bytes]]:
        return list(self.tables[table].items())

    def put(
        self, task: Task, table: str, key: bytes, data: bytes | None, timestamp_ms: int
    ) -> None:
        self.send(task, changelog_of(AGENTS, table).name, key, data, timestamp_ms, {})
        if data is None:
            del self.tables[table][key]
        else:
            self.tables[table][key] = data

    def tasks(self) -> Collection[Task]:
        return (0,)

    def rows(self) -> Mapping[str, int]:
        return {name: len(rows) for name, rows in self.tables.items()}

    def size_bytes(self) -> int:
        return sum(len(data) for rows in self.tables.values() for data in rows.values())


class _Kept:
    """What a fill needs of a log, over the topics of a run."""

    def __init__(self, run: InMemory) -> None:
        self._run = run

    async def bounds(self, topic: str) -> Mapping[Partition, Bounds]:
        records = self._run.topics[topic]
        return {Partition(topic, 0): Bounds(self._run.removed[topic], len(records))}

    async def partitions(self, topic: str) -> Sequence[Partition]:
        return [Partition(topic, 0)]

    async def read(self, partition: Partition, offset: int, most: int) -> Sequence[Record]:
        if offset < (first := self._run.removed[partition.topic]):
            raise OffsetTooOld(partition, offset, first)
        return self._run.topics[partition.topic][offset : offset + most]
