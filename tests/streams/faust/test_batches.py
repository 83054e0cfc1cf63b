"""How many records a body gets at once: bounded by number and by bytes, never none."""

from hypothesis import given
from hypothesis import strategies as st

from streams.faust.message import BATCH_BYTES, BATCH_RECORDS, first_batch
from streams.log import Record

SIZES = st.sampled_from([None, 0, 1, BATCH_BYTES // 3, BATCH_BYTES - 1, BATCH_BYTES, 10**6])


def _record(offset: int, size: int | None) -> Record:
    return Record(offset, 0, b"key", None if size is None else bytes(size), {})


def _bytes(records: list[Record]) -> int:
    return sum(len(record.value or b"") for record in records)


@given(st.lists(SIZES, min_size=1, max_size=12))
def test_a_batch_ends_with_the_record_that_fills_it(sizes: list[int | None]) -> None:
    records = [_record(*each) for each in enumerate(sizes)]
    batch = list(first_batch(records))
    assert batch == records[: len(batch)]
    assert batch
    assert _bytes(batch[:-1]) < BATCH_BYTES
    assert len(batch) == len(records) or _bytes(batch) >= BATCH_BYTES


def test_small_records_make_a_batch_by_their_number() -> None:
    records = [_record(offset, 1) for offset in range(BATCH_RECORDS + 1)]
    assert len(first_batch(records)) == BATCH_RECORDS
