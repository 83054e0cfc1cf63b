from collections.abc import Mapping
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.spikes.row import Spike, Spikes
from agents.updates.buckets import KEEP_WEEKS, Bucket, NewBuckets, Shelf, buckets_of
from agents.updates.channel import Channel, SubscriberStats
from agents.updates.fold import fold_update
from agents.updates.gains import Sample, Top, fold_sample
from agents.updates.gaps import first_gap
from agents.updates.minute import Minute
from streams.analytics import ActivityWindow
from streams.events import CountersSampled, Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.units import WEEK_MS
from tables.rows import Row, RowDecoder, UnknownRow, Upgrade, Values, encode_row, layout_of
from tests.tables.golden_states import TABLES, states

T = 1_700_000_000_000


def test_every_row_comes_back_as_it_was() -> None:
    buckets = NewBuckets()
    sample = Sample(T, [PostId(65), PostId(127)], ([1, None], None, [0, 3], None))
    fold_sample(buckets, sample, first_gap(T))
    bucket = buckets[1]
    bucket.edit(3, T)
    bucket.delete(63)
    bucket.followers = [63]
    bucket.led = {5: [1, 2]}
    bucket.highs = {3: {63: 9}}
    minute = Minute(60_000, first_sampled=0, last_sampled=59_999, top=Top(PostId(65), 3, 0.5))
    channel = Channel(
        minutes={60_000: minute},
        subscriber_stats=[SubscriberStats(0, 1, 2, 3, 4, 5, 6, 7)],
        gaps=[(-1, T)],
        leaders={2**63: PostId(65)},
    )
    rows: list[Row] = [
        bucket,
        channel,
        Shelf(weeks={1: 2}),
        Spikes(minutes=[(1.5, 2)], spike=Spike(1, 2, 3, 4.5, 6, post_id=PostId(65))),
    ]
    for row in rows:
        assert RowDecoder(type(row))(encode_row(row)) == row


def _golden() -> dict[str, Row]:
    """Rows as the first program with layout 2 stored them, without the fields added since."""
    return {
        f"{state.table} {key.decode()}": RowDecoder(TABLES[state.table].row)(value)
        for state in states()
        if state.layout == 2
        for key, value in state.stored
    }


def test_rows_of_an_installation_that_has_run_are_read() -> None:
    rows = _golden()
    channel, spikes, bucket = rows["channels 42"], rows["spikes 42"], rows["posts 42/0"]
    assert isinstance(channel, Channel)
    assert channel.facts.title == "Канал"
    assert channel.closed_minutes
    assert channel.minutes
    assert [minute.sampled_to_ms for minute in channel.minutes.values()] == [None] * len(
        channel.minutes
    )
    assert isinstance(spikes, Spikes)
    assert spikes.spike is not None
    assert (spikes.spike.observed, spikes.spike.post_id) == (7570.4, None)
    assert isinstance(bucket, Bucket)
    assert bucket.newest(60)[0] == 5000
    assert (bucket.highs, bucket.followers, bucket.led) == ({}, [], {})


def test_rows_of_an_installation_that_has_run_go_on() -> None:
    rows = _golden()
    channel, buckets = rows["channels 42"], NewBuckets()
    assert isinstance(channel, Channel)
    for number in (0, 1):
        bucket = rows[f"posts 42/{number}"]
        assert isinstance(bucket, Bucket)
        buckets[number] = bucket
    at_ms = channel.watermark_ms + 60_000
    ids = [PostId(60 + number) for number in range(8)]
    sampled = CountersSampled(
        channel_id=ChannelId(42), observed_at_ms=at_ms, post_ids=ids, views=[5010] * 8
    )
    posts = [Post(post_id, T, album_id=7 if post_id < 63 else None) for post_id in ids]
    seen = PostsSeen(channel_id=ChannelId(42), observed_at_ms=at_ms + 60_000, posts=posts)
    later = msgspec.structs.replace(sampled, observed_at_ms=at_ms + 120_000, views=[5020] * 8)
    gained = []
    for event in (sampled, seen, later):
        folded = fold_update(channel, buckets, event, channel.last_offset + 1)
        gained += [
            (window.views_gained, window.samples)
            for window in folded.outputs
            if isinstance(window, ActivityWindow) and not window.closed
        ]
    # Which posts are an album is known once they are seen again.
    assert gained == [(80, 8), (60, 6)]
    for row in (channel, *buckets.values()):
        assert RowDecoder(type(row))(encode_row(row)) == row


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", msgspec.msgpack.encode([2, "x"]), b"\xc0", b"no row"]
)
def test_bytes_that_are_no_row_are_refused(data: bytes) -> None:
    with pytest.raises(UnknownRow):
        RowDecoder(Bucket)(data)


def test_a_row_of_another_version_is_refused() -> None:
    newer = layout_of(Channel) + 1
    with pytest.raises(UnknownRow, match=f"layout {newer}"):
        RowDecoder(Channel)(encode_row(Channel(version=newer)))


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


def _to_third(values: Values) -> Values:
    _, offset, views = values
    return [3, offset, {0: views}]


def _to_fourth(values: Values) -> Values:
    return [4, *values[1:], "unnamed"]


class _Second(Row):
    """Views, counted together."""

    views: int = 0


class _Fourth(Row):
    """Two layouts later: by day, and named."""

    UPGRADES: ClassVar[Mapping[int, Upgrade]] = {2: _to_third, 3: _to_fourth}

    version: int = 4
    by_day: dict[int, int] = msgspec.field(default_factory=dict)
    name: str = ""


@given(st.integers(-1, 2**40), st.integers(0, 2**40))
def test_a_row_is_upgraded_over_all_layouts_when_it_is_read(offset: int, views: int) -> None:
    read = RowDecoder(_Fourth)
    stored = encode_row(_Second(last_offset=offset, views=views))
    upgraded = read(stored)
    assert upgraded == _Fourth(last_offset=offset, by_day={0: views}, name="unnamed")
    assert read(encode_row(upgraded)) == upgraded
    assert read(msgspec.msgpack.encode([3, offset, {0: views}])) == upgraded


def test_a_layout_without_an_upgrade_and_one_of_later_programs_are_refused() -> None:
    for version in (1, 5):
        with pytest.raises(UnknownRow, match=f"has layout {version}; this program reads 4"):
            RowDecoder(_Fourth)(msgspec.msgpack.encode([version, 0, {}, ""]))


def test_what_an_upgrade_cannot_make_a_row_of_is_refused() -> None:
    with pytest.raises(UnknownRow, match="of layout 3 cannot be upgraded"):
        RowDecoder(_Fourth)(msgspec.msgpack.encode([3, 0, "no days"]))
