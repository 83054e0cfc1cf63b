import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.ids import PostId
from tables.channel import Channel, Minute, Span
from tables.gains import Sample, fold_sample
from tables.posts import KEEP_WEEKS, WEEK_MS, Bucket, NewBuckets, Shelf, buckets_of
from tables.rows import VERSION, Row, RowDecoder, UnknownRow, encode_row
from tables.spikes import Spike, Spikes

T = 1_700_000_000_000


def test_every_row_comes_back_as_it_was() -> None:
    buckets = NewBuckets()
    fold_sample(buckets, Sample(T, [PostId(65), PostId(127)], ([1, None], None, [0, 3], None)), T)
    bucket = buckets[1]
    bucket.edit(3, T)
    bucket.delete(63)
    channel = Channel(
        minutes={60_000: Minute(60_000, albums=[1])}, spans=[Span(0, 1, 2, 3, 4, 5, 6, 7)]
    )
    rows: list[Row] = [
        bucket,
        channel,
        Shelf(weeks={1: 2}),
        Spikes(minutes=[(1.5, 2)], spike=Spike(1, 2, 3, 4.5, 6)),
    ]
    for row in rows:
        assert RowDecoder(type(row))(encode_row(row)) == row


@pytest.mark.parametrize("data", [b"", b"\xc1", msgspec.msgpack.encode([VERSION, "x"])])
def test_bytes_that_are_no_row_are_refused(data: bytes) -> None:
    with pytest.raises(UnknownRow):
        RowDecoder(Bucket)(data)


def test_a_row_of_another_version_is_refused() -> None:
    with pytest.raises(UnknownRow, match=f"layout {VERSION + 1}"):
        RowDecoder(Channel)(encode_row(Channel(version=VERSION + 1)))


@given(st.lists(st.integers(1, 2**40), max_size=50))
def test_buckets_hold_64_posts_each(ids: list[int]) -> None:
    assert buckets_of([PostId(i) for i in ids]) == {i // 64 for i in ids}


def test_a_bucket_is_dropped_after_90_days_and_not_before() -> None:
    shelf = Shelf()
    start_ms = 1000 * WEEK_MS
    assert shelf.touch([1, 2], start_ms)
    assert not shelf.touch([1], start_ms + 1)
    assert shelf.sweep(start_ms + KEEP_WEEKS * WEEK_MS) == []
    assert shelf.touch([2], start_ms + KEEP_WEEKS * WEEK_MS)
    assert shelf.sweep(start_ms + (KEEP_WEEKS + 1) * WEEK_MS) == [1]
    assert shelf.weeks == {2: 1000 + KEEP_WEEKS}
    assert KEEP_WEEKS * 7 >= 90


def test_an_album_counts_once_and_other_posts_each() -> None:
    minute = Minute(0)
    assert [minute.add_post(album) for album in (5, 5, None, None, 6)] == [
        True,
        False,
        True,
        True,
        True,
    ]
    assert minute.posts == 4
