"""A record as Faust's streams get it."""

from time import monotonic

from faust.types import TP, ConsumerMessage

from streams.log import Record


def message_of(tp: TP, record: Record, generation: int) -> ConsumerMessage:
    return ConsumerMessage(
        tp.topic,
        tp.partition,
        record.offset,
        record.timestamp_ms / 1000,
        0,
        dict(record.headers),
        record.key,
        record.value,
        None,
        tp=tp,
        time_in=monotonic(),
        generation_id=generation,
    )
