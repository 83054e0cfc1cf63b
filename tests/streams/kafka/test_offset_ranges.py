"""OffsetRanges as text beside a committed offset."""

from streams.kafka.offset_ranges import read_ranges, write_ranges
from streams.log import OffsetRange, Partition


def test_what_is_written_is_read() -> None:
    ranges = {
        Partition(topic, number): OffsetRange(10**12 + number, 10**12 + number + 700)
        for topic in ("telegram.updates", "analytics.windows", "analytics.alerts")
        for number in range(43)
    }
    text = write_ranges(ranges)
    assert read_ranges(text) == ranges
    assert len(text.encode()) < 4096
    assert write_ranges({}) == "1"
    assert read_ranges("1") == {}


def test_what_others_wrote_is_nothing() -> None:
    for text in ("", "2 topic 0:1+1", "checkpoint", '{"a": 1}'):
        assert read_ranges(text) == {}
