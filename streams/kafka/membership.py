"""A worker as a member of its group: its tasks, and the messages of their partitions.

It does not process them. Its user is called before a rebalance, in time to commit finished work,
and after it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka import errors as kafka
from aiokafka.abc import ConsumerRebalanceListener

from streams.context import Task
from streams.kafka.assignor import Assignor
from streams.kafka.closing import end
from streams.kafka.failures import is_passing
from streams.kafka.task_assignment import Claim, TaskAssignment
from streams.kafka.times import unstamped
from streams.log import LogError, LogUnavailable, Partition, Record
from streams.pauses import Pauses
from streams.retry import Retry

logger = logging.getLogger(__name__)

#: How long a worker may be busy with its tables without being considered dead.
_POLL_MS = 3_600_000
_FETCH_BYTES = 4 << 20
_LEAVE_S = 3.0
_TOPIC_WITHIN_S = 6.0


class MemberSettings(msgspec.Struct, frozen=True, kw_only=True):
    client: Mapping[str, Any]
    group: str
    #: The member's name across restarts: the group waits for it until the session timeout, and
    #: reassigns nothing if it returns before that.
    instance: str | None = None
    #: The session timeout: a member that is silent for longer has left.
    session_s: float = 6.0
    #: Standby replicas of each task's tables.
    standbys: int = 1


class Membership:
    """`released` is awaited before a rebalance; `got` is called with the new tasks after it."""

    def __init__(
        self,
        settings: MemberSettings,
        claim: Callable[[], Claim],
        released: Callable[[], Awaitable[None]],
        got: Callable[[TaskAssignment], None],
    ) -> None:
        self._settings = settings
        self._released = released
        self._got = got
        self._assignor = Assignor(settings.standbys, claim)
        self._client: AIOKafkaConsumer | None = None

    @property
    def generation(self) -> int:
        client: Any = self._client
        return -1 if client is None else int(client._coordinator.generation)

    async def join(self, topics: Collection[str]) -> None:
        """Become a member that reads `topics`. Waits while no broker answers. Raises LogError."""
        retry = Retry({LogUnavailable: "log"}, logger)
        self._client = client = await retry.call(lambda: self._started(topics))
        client.subscribe(sorted(topics), listener=_Listener(self._released, self._given))

    async def _started(self, topics: Collection[str]) -> AIOKafkaConsumer:
        client = self._made()
        try:
            await client.start()
            await _wait_for(client, topics)
        except kafka.KafkaError as error:
            await end(client)
            kind = LogUnavailable if is_passing(error) else LogError
            raise kind(f"Kafka: {error!r}") from error
        except BaseException:
            await end(client)
            raise
        return client

    def partitions(self, topic: str) -> int | None:
        """The number of a topic's partitions, if known."""
        client: Any = self._client
        found = None if client is None else client._client.cluster.partitions_for_topic(topic)
        return len(found) if found else None

    def tasks_in_all(self, topics: Collection[str]) -> int:
        """The number of partitions of all topics. Raises LogError if they differ."""
        counts = {topic: self.partitions(topic) or 0 for topic in topics}
        if len(set(counts.values())) != 1:
            told = ", ".join(f"{topic} has {count}" for topic, count in counts.items())
            raise LogError(f"topics must have the same number of partitions: {told}")
        return next(iter(counts.values()))

    async def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The group's committed offsets, where there are any. Raises LogUnavailable."""
        wanted = [TopicPartition(*at) for at in partitions]
        client: Any = self._client
        try:
            found = await client._coordinator.fetch_committed_offsets(wanted)
        except kafka.KafkaError as error:
            raise LogUnavailable(f"Kafka: {error}") from error
        return {Partition(*at): told.offset for at, told in found.items() if told.offset >= 0}

    async def first(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The first offset kept in each partition. Raises LogUnavailable."""
        assert self._client is not None
        wanted = [TopicPartition(*at) for at in partitions]
        try:
            found = await self._client.beginning_offsets(wanted)
        except kafka.KafkaError as error:
            raise LogUnavailable(f"Kafka: {error}") from error
        return {Partition(*at): offset for at, offset in found.items()}

    def seek(self, partition: Partition, offset: int) -> None:
        assert self._client is not None
        self._client.seek(TopicPartition(*partition), offset)

    async def fetch(
        self, partitions: Iterable[Partition], wait_s: float, most: int
    ) -> Mapping[Partition, Sequence[Record]]:
        """The next records of some of the partitions that this member owns.

        Empty after `wait_s` without records, and once the partitions are revoked.
        Raises LogError if retrying does not help.
        """
        assert self._client is not None
        wanted = [TopicPartition(*at) for at in partitions]
        try:
            found = await self._client.getmany(
                *wanted, timeout_ms=round(wait_s * 1000), max_records=most
            )
        except kafka.IllegalStateError:
            return {}
        except kafka.KafkaError as error:
            raise LogError(f"Kafka: {error!r}") from error
        return {Partition(*at): [_record(each) for each in got] for at, got in found.items()}

    def check(self) -> None:
        """Raises LogError if this process can no longer be a member."""
        client: Any = self._client
        if client is not None:
            try:
                client._coordinator.check_errors()
            except kafka.KafkaError as error:
                raise LogError(f"Kafka: {error!r}") from error

    def rejoin(self) -> None:
        """Request a rebalance."""
        client: Any = self._client
        if client is not None:
            client._coordinator.request_rejoin()

    async def leave(self) -> None:
        """Leave the group: without an instance at once, else at the session timeout."""
        client, self._client = self._client, None
        if client is not None:
            leaving = asyncio.ensure_future(end(client))
            await asyncio.wait({leaving}, timeout=_LEAVE_S)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    def _given(self, active: Collection[Task]) -> None:
        self._got(TaskAssignment(tuple(sorted(active)), self._assignor.standby))

    def _made(self) -> AIOKafkaConsumer:
        settings = self._settings
        session_ms = round(settings.session_s * 1000)
        return AIOKafkaConsumer(
            **settings.client,
            group_id=settings.group,
            group_instance_id=settings.instance,
            partition_assignment_strategy=(self._assignor,),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 4,
            rebalance_timeout_ms=max(session_ms, 10_000),
            max_poll_interval_ms=_POLL_MS,
            fetch_max_wait_ms=200,
            max_partition_fetch_bytes=_FETCH_BYTES,
        )


class _NoTopic(LogError):
    pass


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(
        self,
        released: Callable[[], Awaitable[None]],
        given: Callable[[Collection[Task]], None],
    ) -> None:
        self._released = released
        self._given = given

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._released()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._given({at.partition for at in assigned})


async def _wait_for(client: AIOKafkaConsumer, topics: Collection[str]) -> None:
    """Waits for new topics, which brokers learn of with a delay. Raises LogError."""

    async def look() -> None:
        if missing := sorted(set(topics) - await client.topics()):
            raise _NoTopic(f"Kafka has no topic {missing[0]}: run `analyticbot migrate` first")

    await Retry({_NoTopic: "log"}, pauses=Pauses(0.05, 1.0), within_s=_TOPIC_WITHIN_S).call(look)


def _record(record: Any) -> Record:
    headers, event_ms = unstamped(record.headers, record.timestamp)
    return Record(record.offset, event_ms, record.key, record.value, headers, record.timestamp)
