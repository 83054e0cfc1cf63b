"""Spans as text beside a committed offset."""

from streams.kafka.spans import read_spans, write_spans
from streams.log import Partition, Span


def test_what_is_written_is_read() -> None:
    spans = {
        Partition(topic, number): Span(10**12 + number, 10**12 + number + 700)
        for topic in ("telegram.updates", "analytics.windows", "analytics.alerts")
        for number in range(43)
    }
    text = write_spans(spans)
    assert read_spans(text) == spans
    assert len(text.encode()) < 4096
    assert write_spans({}) == "1"
    assert read_spans("1") == {}


def test_what_others_wrote_is_nothing() -> None:
    for text in ("", "2 topic 0:1+1", "checkpoint", '{"a": 1}'):
        assert read_spans(text) == {}
