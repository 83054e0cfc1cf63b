"""Records as messages of Faust: one each, or many of a partition as one message."""

from collections.abc import Sequence
from itertools import accumulate, takewhile
from time import monotonic
from typing import Any, cast

from faust.types import TP, ConsumerMessage

from streams.log import Record

#: A batch has at most so many records, and ends with the record that makes it so many bytes large:
#: what a body does takes the longer the more bytes there are, and nothing else runs meanwhile.
BATCH_RECORDS = 512
BATCH_BYTES = 32 << 10


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


def batch_of(tp: TP, records: Sequence[Record], generation: int) -> ConsumerMessage:
    """Consecutive records as the value of one message, with the offset of the last.

    Faust's cost is paid once for all of them, and they are acknowledged together.
    """
    message = message_of(tp, records[-1]._replace(key=None, headers={}), generation)
    # Faust passes the value on unchanged; only its types require bytes.
    message.value = cast(Any, records)
    return message


def first_batch(records: Sequence[Record]) -> Sequence[Record]:
    """As many of the records as make a batch; all where they are fewer."""
    sizes = accumulate([len(record.value or b"") for record in records])
    short_of = sum(1 for _ in takewhile(BATCH_BYTES.__gt__, sizes))
    return records[: min(1 + short_of, BATCH_RECORDS)]
