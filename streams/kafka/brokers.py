"""The brokers as used by all but the producer: one connection each, with retries."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.conn import create_conn
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    NoError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.structs import TopicPartition

from streams.kafka.failures import is_passing, log_error
from streams.kafka.settings import KafkaSettings, client_options
from streams.log import Partition
from streams.pauses import Pauses
from streams.retry import Retry

T = TypeVar("T")

#: Retry for this long before a caller gets the error: long enough to elect a new leader.
PATIENCE_S = 10.0
_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 0.5
#: Special timestamps of ListOffsets.
FIRST, END = -2, -1
READ_COMMITTED = 1


class _Passing(Exception):
    """A retry may succeed in a moment."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Brokers:
    """Sends each request to the right broker. Made by `connect`; closed by `close`."""

    def __init__(self, client: AIOKafkaClient, settings: KafkaSettings) -> None:
        #: For aiokafka's classes that need a client; requests go through this class.
        self.client = client
        self.settings = settings
        self._coordinators: dict[str, int] = {}

    @classmethod
    async def connect(cls, settings: KafkaSettings) -> "Brokers":
        """Raises LogUnavailable; LogError if retrying does not help."""
        options = client_options(settings)
        try:
            await _reach(settings, options)
            client = AIOKafkaClient(**options)
            try:
                await client.bootstrap()
            except KafkaError:
                await client.close()
                raise
        except (KafkaError, OSError) as error:
            raise log_error(error, settings) from error
        return cls(client, settings)

    async def close(self) -> None:
        await self.client.close()

    async def insist(self, work: Callable[[], Awaitable[T]], patience_s: float = PATIENCE_S) -> T:
        """Retry transient failures for a limited time. Raises LogError."""
        until_s = asyncio.get_running_loop().time() + patience_s
        pauses = Pauses(_PAUSE_S, _LONGEST_PAUSE_S)

        async def attempt() -> T:
            if pauses.waiting:
                await self.refresh(until_s - asyncio.get_running_loop().time())
            try:
                return await work()
            except (KafkaError, OSError) as error:
                if is_passing(error):
                    raise _Passing(error) from error
                raise log_error(error, self.settings) from error

        try:
            return await Retry({_Passing: "log"}, pauses=pauses, within_s=patience_s).call(attempt)
        except _Passing as passing:
            raise log_error(passing.error, self.settings) from passing.error

    async def refresh(self, timeout_s: float) -> None:
        """Update the leaders of partitions; returns when they are known, or after `timeout_s`."""
        await asyncio.wait([self.client.force_metadata_update()], timeout=max(timeout_s, 0))

    @property
    def count(self) -> int:
        """The number of brokers."""
        return len(self.client.cluster.brokers())

    async def partitions(self, topic: str) -> Sequence[Partition]:
        """Empty for a missing topic. Never creates one, even if the brokers would."""
        known = self.client.cluster.partitions_for_topic(topic)
        if known is None:
            [answer] = (await self.anyone(MetadataRequest([topic], False))).topics
            error = for_code(answer[0])
            if error is UnknownTopicOrPartitionError:
                return ()
            if error is not NoError:
                raise error(topic)
            # From now on the client tracks its leader.
            await self.client.add_topic(topic)
            known = self.client.cluster.partitions_for_topic(topic)
            if known is None:
                raise LeaderNotAvailableError(topic)
        return [Partition(topic, number) for number in sorted(known)]

    def leader(self, partition: Partition) -> int:
        """Raises LeaderNotAvailableError while there is no leader."""
        leader = self.client.cluster.leader_for_partition(TopicPartition(*partition))
        if leader is None or leader < 0:
            raise LeaderNotAvailableError(str(partition))
        return int(leader)

    def by_leader(self, partitions: Sequence[Partition]) -> Mapping[int, Sequence[Partition]]:
        """Raises LeaderNotAvailableError."""
        found: dict[int, list[Partition]] = {}
        for partition in partitions:
            found.setdefault(self.leader(partition), []).append(partition)
        return found

    async def send(self, node: int, request: Any) -> Any:
        return await self.client.send(node, request)

    async def anyone(self, request: Any) -> Any:
        """Send to any reachable broker."""
        node = self.client.get_random_node()
        if node is None:
            raise NodeNotReadyError("no broker is known")
        return await self.client.send(node, request)

    async def coordinator(self, group: str, request: Any) -> Any:
        """Send to the coordinator of a group, which is looked up again after a failure."""
        node = self._coordinators.pop(group, None)
        if node is None:
            kind = CoordinationType.GROUP
            node = await self.client.coordinator_lookup(kind, group)
        answer = await self.client.send(node, request, group=ConnectionGroup.COORDINATION)
        self._coordinators[group] = node
        return answer

    def forget_coordinator(self, group: str) -> None:
        self._coordinators.pop(group, None)

    async def offsets(self, partitions: Sequence[Partition], which: int) -> dict[Partition, int]:
        """FIRST: the first record kept. END: the end for readers of committed records."""
        leaders = self.by_leader(partitions)
        answers = await asyncio.gather(
            *(self._offsets(node, theirs, which) for node, theirs in leaders.items())
        )
        return {partition: offset for answer in answers for partition, offset in answer.items()}

    async def _offsets(
        self, node: int, partitions: Sequence[Partition], which: int
    ) -> dict[Partition, int]:
        topics: dict[str, list[tuple[int, int]]] = {}
        for topic, number in partitions:
            topics.setdefault(topic, []).append((number, which))
        request = OffsetRequest(-1, READ_COMMITTED, list(topics.items()))
        found = {}
        for topic, answers in (await self.send(node, request)).topics:
            for number, code, _, offset in answers:
                if (error := for_code(code)) is not NoError:
                    raise error(f"{topic}/{number}")
                found[Partition(topic, number)] = int(offset)
        return found


async def _reach(settings: KafkaSettings, options: Mapping[str, Any]) -> None:
    """Returns when one of the brokers accepts us; else raises the last broker's reason.

    The client tries them as well, but hides the reasons.
    """
    own = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    failure: Exception = NodeNotReadyError("no broker is named")
    for server in settings.servers:
        host, _, port = server.rpartition(":")
        try:
            connection = await create_conn(host.strip("[]"), int(port), **own)
        except KafkaConnectionError as error:
            failure = ConnectionResetError(str(error))
        except (KafkaError, OSError) as error:
            failure = error
            if not is_passing(error):
                break
        else:
            await connection.close()
            return
    raise failure
