"""What lies in the log after faults, and how it differs from what should: to the digit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from streams import topics
from streams.log import Log, Partition, Record

TABLES = ("channels", "posts", "shelves", "spikes")
OUTPUTS = (topics.WINDOWS.name, topics.ALERTS.name)
INPUTS = (topics.UPDATES.name, topics.WINDOWS.name)


class Message(NamedTuple):
    """What of a message does not depend on when and how often it was tried."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int


class Left(msgspec.Struct, frozen=True):
    #: Table by table, the newest value of each key in its changelog, without those deleted.
    tables: Mapping[str, Mapping[bytes, bytes]]
    #: Partition by partition, every message in its order: one sent twice is here twice.
    outputs: Mapping[Partition, Sequence[Message]]
    #: How many messages were put aside, a topic.
    dead: Mapping[str, int]


def changelog(group: str, table: str) -> str:
    return f"{group}-{table}-changelog"


async def left_in(log: Log, group: str) -> Left:
    return Left(
        tables={table: await rows_of(log, changelog(group, table)) for table in TABLES},
        outputs={
            partition: [Message(record.key, record.value, record.timestamp_ms) for record in all_]
            for topic in OUTPUTS
            for partition, all_ in (await lying(log, topic)).items()
        },
        dead={
            topic: sum(map(len, (await lying(log, topics.Topic(topic).dead)).values()))
            for topic in INPUTS
        },
    )


async def lying(log: Log, topic: str) -> dict[Partition, list[Record]]:
    """All that a reader gets of a topic, as it lies in each partition."""
    found = {}
    for partition, bounds in (await log.bounds(topic)).items():
        records: list[Record] = []
        offset = bounds.first
        while offset < bounds.next and (more := await log.read(partition, offset, 100_000)):
            records += more
            offset = more[-1].offset + 1
        found[partition] = records
    return found


async def rows_of(log: Log, topic: str) -> dict[bytes, bytes]:
    rows: dict[bytes, bytes] = {}
    for records in (await lying(log, topic)).values():
        for record in records:
            assert record.key is not None
            if record.value is None:
                rows.pop(record.key, None)
            else:
                rows[record.key] = record.value
    return rows


def differences(left: Left, expected: Left) -> list[str]:
    """A line each; none when nothing was lost, doubled or changed."""
    return [
        *_of_tables(left, expected),
        *_of_outputs(left, expected),
        *(
            f"{topic}: {left.dead[topic]} put aside, expected {count}"
            for topic, count in expected.dead.items()
            if left.dead[topic] != count
        ),
    ]


def _of_tables(left: Left, expected: Left) -> Iterator[str]:
    for table, rows in expected.tables.items():
        found = left.tables[table]
        wrong = sorted(key for key in rows.keys() | found.keys() if rows.get(key) != found.get(key))
        if wrong:
            key = wrong[0]
            yield (
                f"table {table}: {len(wrong)} of {len(rows)} rows differ; {key!r} is "
                f"{found.get(key)!r}, expected {rows.get(key)!r}"
            )


def _of_outputs(left: Left, expected: Left) -> Iterator[str]:
    for partition, messages in expected.outputs.items():
        found = left.outputs[partition]
        if found == messages:
            continue
        pairs = enumerate(zip(found, messages, strict=False))
        first = next(
            (n for n, (one, other) in pairs if one != other), min(len(found), len(messages))
        )
        yield (
            f"{partition.topic}/{partition.number}: {len(found)} messages, expected "
            f"{len(messages)}; number {first} is {found[first : first + 1]}, "
            f"expected {messages[first : first + 1]}"
        )
