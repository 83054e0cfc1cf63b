"""A batch of history: the same ranges come to the same rows, however they are read."""

import random

import msgspec

from agents.history.batch import MOST_PARTITIONS, HistoryBatch
from streams.analytics import ChannelSummary, PostCounters
from streams.codec import encode
from streams.ids import ChannelId
from streams.log import Batch, Draft, OffsetRange, Partition, Record
from streams.partitioner import partition_of
from tests.agents.history_told import minute_of_messages

PARTITIONS = 3


def records_of(drafts: list[Draft]) -> dict[Partition, list[Record]]:
    found: dict[Partition, list[Record]] = {}
    for draft in drafts:
        at = Partition(draft.topic, partition_of(draft.key, PARTITIONS))
        records = found.setdefault(at, [])
        records.append(Record(len(records), draft.timestamp_ms, draft.key, draft.value, {}))
    return found


def test_rows_and_their_order_do_not_depend_on_the_order_of_reading() -> None:
    drafts = [each for minute in range(5) for each in minute_of_messages(minute)]
    found = records_of(drafts)
    first, moments = HistoryBatch(), random.Random(3)
    for at, records in found.items():
        first.take(Batch(at, records))
    for _ in range(5):
        other = HistoryBatch()
        pieces = [(at, list(records)) for at, records in found.items()]
        while pieces:
            piece = moments.choice(pieces)
            at, records = piece
            count = moments.randrange(1, len(records) + 1)
            other.take(Batch(at, records[:count]))
            del records[:count]
            if not records:
                pieces.remove(piece)
        assert other.inserts() == first.inserts()
        assert (other.token, other.number) == (first.token, first.number)
        assert other.closed_marks() == first.closed_marks()
        assert (
            len(other)
            == len(first)
            == sum(len(next(iter(insert.columns.values()))) for insert in first.inserts())
        )


def test_a_batch_knows_its_ranges_and_when_it_is_of_too_many() -> None:
    batch = HistoryBatch()
    for number in range(MOST_PARTITIONS):
        assert not batch.full
        record = Record(5 + number, 1, b"1", None, {})
        batch.take(Batch(Partition("analytics.alerts", number), [record]))
    assert batch.full
    assert batch.ranges[Partition("analytics.alerts", 7)] == OffsetRange(12, 13)
    assert batch.ends[Partition("analytics.alerts", 7)] == 13


def test_a_kind_of_a_newer_version_is_counted_and_one_that_is_not_kept_is_not() -> None:
    kinds = [
        PostCounters(
            channel_id=ChannelId(1), observed_at_ms=1, post_ids=[], dates_ms=[], views=[],
            forwards=[], replies=[], reactions=[],
        ),
        ChannelSummary(channel_id=ChannelId(1), observed_at_ms=1),
    ]  # fmt: skip
    values = [msgspec.msgpack.encode({"kind": "of_tomorrow", "v": 1}), *map(encode, kinds)]
    records = [Record(number, 1, b"1", value, {}) for number, value in enumerate(values)]
    batch = HistoryBatch()
    batch.take(Batch(Partition("analytics.windows", 0), records))
    assert (batch.messages, batch.dropped) == (3, {"unknown_kind": 1})
    assert [insert.table for insert in batch.inserts()] == ["channels"]
