"""Fetch requests, and the committed records in their responses, without markers."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from streams.kafka.brokers import READ_COMMITTED, Brokers
from streams.kafka.times import unstamped
from streams.log import Partition, Record

#: Bytes per response, and per partition in it. One batch of records comes whatever its size.
MOST_BYTES = 4 << 20
PARTITION_BYTES = 1 << 20


class Fetched(NamedTuple):
    """The response of one partition."""

    partition: Partition
    records: "CommittedRecords"
    #: The end of committed records.
    end: int


class Refused(NamedTuple):
    """A partition responded with an error."""

    partition: Partition
    error: Exception


class CommittedRecords(PartitionRecords):  # type: ignore[misc]
    """Iterates over records. `next_fetch_offset` is where to read on, past markers and gaps."""

    next_fetch_offset: int

    def __next__(self) -> Record:
        if self._records_iterator is None:
            # It ended before.
            raise StopIteration
        record: Record = super().__next__()
        return record

    def _consumer_record(self, tp: TopicPartition, record: Any) -> Record:
        headers, event_ms = unstamped(record.headers, record.timestamp)
        return Record(record.offset, event_ms, record.key, record.value, headers, record.timestamp)


def fetch_request(
    positions: Mapping[Partition, int],
    *,
    wait_ms: int,
    partition_bytes: int = PARTITION_BYTES,
) -> FetchRequest:
    """The broker responds when there are records, at the latest after `wait_ms`."""
    topics: dict[str, list[tuple[int, int, int]]] = {}
    for (topic, number), offset in positions.items():
        topics.setdefault(topic, []).append((number, offset, partition_bytes))
    return FetchRequest(wait_ms, 1, MOST_BYTES, READ_COMMITTED, list(topics.items()))


async def fetch(
    brokers: Brokers, node: int, positions: Mapping[Partition, int], *, wait_ms: int
) -> list[Fetched | Refused]:
    """Fetch several partitions from the broker that leads them."""
    request = fetch_request(positions, wait_ms=wait_ms)
    return list(answers(await brokers.send(node, request), positions))


async def fetch_one(
    brokers: Brokers, partition: Partition, offset: int, partition_bytes: int = PARTITION_BYTES
) -> Fetched:
    """Fetch the present records. Raises the broker's error."""
    positions = {partition: offset}
    request = fetch_request(positions, wait_ms=0, partition_bytes=partition_bytes)
    response = await brokers.send(brokers.leader(partition), request)
    [answer] = answers(response, positions)
    if isinstance(answer, Refused):
        raise answer.error
    return answer


def answers(response: Any, positions: Mapping[Partition, int]) -> Iterator[Fetched | Refused]:
    aborted_at = -3 if response.API_VERSION >= 11 else -2
    for topic, parts in response.topics:
        for number, code, _, *rest in parts:
            partition = Partition(topic, number)
            if (error := for_code(code)) is not NoError:
                yield Refused(partition, error(f"{topic}/{number}"))
                continue
            records = CommittedRecords(
                TopicPartition(topic, number),
                MemoryRecords(rest[-1]),
                rest[aborted_at],
                positions[partition],
                None,
                None,
                True,
                READ_COMMITTED,
            )
            yield Fetched(partition, records, int(rest[0]))
