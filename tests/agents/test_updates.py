"""What the steps promise of any stream of events: splits, replays, disorder, sums."""

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.analytics import (
    ActivityWindow,
    Analytics,
    ChannelSummary,
    LateSamples,
    PostAge,
    PostCounters,
    SubscribersWindow,
    Window,
)
from streams.events import CountersSampled, Event, PostsDeleted, PostsEdited, PostsSeen
from streams.kinds import upsert_key
from streams.units import MINUTE_MS
from tables.windows import oldest_open, start_of
from tests.agents.pure import CHANNEL, Pure
from tests.agents.strategies import T, streams
from tests.agents.updates import model

splits = st.sets(st.integers(0, 25))


@given(streams, splits)
def test_a_fold_split_anywhere_by_restarts_is_the_same(
    events: Sequence[Event], cuts: set[int]
) -> None:
    whole, split = Pure(), Pure()
    outputs = whole.fold_all(events)
    split_outputs: list[Window] = []
    for number, event in enumerate(events):
        if number in cuts:
            split.restart()
        split_outputs += split.fold(event)
    assert split_outputs == outputs
    assert split.rows() == whole.rows()


@given(streams, st.integers(0, 25), st.integers(0, 25))
def test_replaying_any_stretch_changes_nothing(
    events: Sequence[Event], first: int, last: int
) -> None:
    pure = Pure()
    pure.fold_all(events)
    rows, upserts, spikes = pure.rows(), dict(pure.upserts), dict(pure.spikes)
    for offset in range(min(first, len(events)), min(last, len(events))):
        pure.fold(events[offset], offset)
    assert pure.rows() == rows
    assert _decided(pure.upserts) == _decided(upserts)
    assert {key: row.spike for key, row in pure.spikes.items()} == {
        key: row.spike for key, row in spikes.items()
    }


def _decided(upserts: dict[str, Analytics]) -> dict[str, Analytics]:
    """Without what is said again in its newest form: all posts of a message, the last sample."""
    return {
        key: msgspec.structs.replace(value, observed_at_ms=0, last_sample_at_ms=0)
        if isinstance(value, ChannelSummary)
        else value
        for key, value in upserts.items()
        if not isinstance(value, PostCounters)
    }


@given(streams)
def test_a_closed_window_never_changes_and_is_closed_by_the_watermark(
    events: Sequence[Event],
) -> None:
    pure = Pure()
    closed: dict[str, Window] = {}
    for event in events:
        for output in pure.fold(event):
            key = upsert_key(output)
            assert key not in closed
            if isinstance(output, ActivityWindow | SubscribersWindow):
                size_ms = getattr(output, "size_ms", MINUTE_MS)
                oldest_ms = oldest_open(pure.channels[CHANNEL].watermark_ms, size_ms)
                assert output.closed == (output.start_ms < oldest_ms)
                if output.closed:
                    closed[key] = output


@given(streams)
def test_a_message_gives_each_window_at_most_once_running(events: Sequence[Event]) -> None:
    pure = Pure()
    for event in events:
        running = [
            upsert_key(output)
            for output in pure.fold(event)
            if isinstance(output, ActivityWindow) and not output.closed
        ]
        assert len(running) == len(set(running))


@given(streams)
def test_each_window_has_gained_what_the_plain_model_says(events: Sequence[Event]) -> None:
    pure = Pure()
    pure.fold_all(events)
    windows = {w.start_ms: w for w in pure.upserts.values() if isinstance(w, ActivityWindow)}
    expected = _windows(events)
    assert {
        start: (w.views_gained, w.forwards_gained, w.replies_gained, w.reactions_gained, w.samples)
        for start, w in windows.items()
        if w.sampled_to_ms is not None
    } == {start: (*minute.gains, minute.measured) for start, minute in expected.items()}


@given(streams)
def test_windows_tell_the_time_that_their_gains_rest_on(events: Sequence[Event]) -> None:
    """Whatever the order within the lateness."""
    pure = Pure()
    pure.fold_all(events)
    told = {
        w.start_ms: (w.sampled_from_ms, w.sampled_to_ms)
        for w in pure.upserts.values()
        if isinstance(w, ActivityWindow) and w.sampled_to_ms is not None
    }
    instants = sorted({at_ms for at_ms, is_late in _sampled(events) if not is_late})
    by_minute: dict[int, list[int]] = {}
    for at_ms in instants:
        by_minute.setdefault(start_of(at_ms, MINUTE_MS), []).append(at_ms)
    assert set(told) == set(by_minute)
    if any(is_late for _, is_late in _sampled(events)):
        return
    for start_ms, within in by_minute.items():
        before = [at_ms for at_ms in instants if at_ms < within[0]]
        assert told[start_ms] == (before[-1] if before else None, within[-1])


@given(streams)
def test_every_sample_is_in_a_window_or_said_to_be_late(events: Sequence[Event]) -> None:
    pure = Pure()
    late = [
        output for event in events for output in pure.fold(event) if isinstance(output, LateSamples)
    ]
    assert len({upsert_key(message) for message in late}) == len(late)
    assert sum(message.samples for message in late) == pure.handled["late_sample"]
    assert {events[message.offset].observed_at_ms for message in late} == {
        message.from_ms for message in late
    }
    assert all(message.from_ms <= message.to_ms for message in late)
    posts: dict[int, model.ModelPost] = {}
    expected = 0
    for event, (_, is_late) in zip(events, _all_instants(events), strict=True):
        ids, columns = _sample(event, posts)
        out = model.fold(posts, event.observed_at_ms, ids, columns, ())
        if _tells(columns):
            expected += len(ids) if is_late else out.late
    assert pure.handled["late_sample"] == expected


def _windows(events: Sequence[Event]) -> dict[int, model.Outcome]:
    """What each minute gained by the plain model; of what is late nothing."""
    posts: dict[int, model.ModelPost] = {}
    albums = model.ModelAlbums()
    observed: set[int] = set()
    minutes: dict[int, model.Outcome] = {}
    for event, (at_ms, is_late) in zip(events, _all_instants(events), strict=True):
        observed.add(at_ms)
        if isinstance(event, PostsSeen | PostsEdited):
            albums.see((post.post_id, post.album_id) for post in event.posts)
        if isinstance(event, PostsDeleted):
            albums.delete(event.post_ids)
        ids, columns = _sample(event, posts)
        out = model.fold(posts, at_ms, ids, columns, observed, albums)
        if _tells(columns) and not is_late:
            minute = minutes.setdefault(start_of(at_ms, MINUTE_MS), model.Outcome())
            minute.gains = [_sum(pair) for pair in zip(minute.gains, out.gains, strict=True)]
            minute.measured += out.measured
    return minutes


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _all_instants(events: Sequence[Event]) -> list[tuple[int, bool]]:
    """When each was observed, and whether its minute was closed."""
    instants, watermark_ms = [], 0
    for event in events:
        at_ms = event.observed_at_ms
        watermark_ms = max(watermark_ms, at_ms)
        is_late = start_of(at_ms, MINUTE_MS) < oldest_open(watermark_ms, MINUTE_MS)
        instants.append((at_ms, is_late))
    return instants


def _sampled(events: Sequence[Event]) -> list[tuple[int, bool]]:
    """The same of those that told a counter."""
    return [
        instant
        for event, instant in zip(events, _all_instants(events), strict=True)
        if _tells(_sample(event, {})[1])
    ]


def _tells(columns: Sequence[model.Column]) -> bool:
    return any(value is not None for column in columns if column for value in column)


def _sample(
    event: Event, posts: dict[int, model.ModelPost]
) -> tuple[list[int], list[model.Column]]:
    if isinstance(event, CountersSampled):
        return list(event.post_ids), [event.views, event.forwards, event.replies, event.reactions]
    if not isinstance(event, PostsSeen | PostsEdited):
        return [], [None] * 4
    for post in event.posts:
        posts.setdefault(post.post_id, model.ModelPost()).date_ms = post.date_ms
    counted = [
        post
        for post in event.posts
        if (post.views, post.forwards, post.reactions) != (None, None, None)
    ]
    return [post.post_id for post in counted], [
        [post.views for post in counted],
        [post.forwards for post in counted],
        None,
        [None if p.reactions is None else sum(p.reactions.values()) for p in counted],
    ]


@given(streams)
def test_a_post_counts_once_and_its_newest_counters_are_sent(events: Sequence[Event]) -> None:
    pure = Pure()
    seen: dict[int, tuple[int | None, ...]] = {}
    for event in events:
        for output in pure.fold(event):
            if isinstance(output, PostCounters):
                columns = zip(
                    output.post_ids,
                    output.views,
                    output.forwards,
                    output.replies,
                    output.reactions,
                    strict=True,
                )
                seen.update({post_id: tuple(values) for post_id, *values in columns})
    windows = [w for w in pure.upserts.values() if isinstance(w, ActivityWindow)]
    assert sum(w.posts for w in windows) <= len(seen)
    for post_id, values in seen.items():
        bucket = pure.buckets[CHANNEL][post_id // 64]
        assert bucket.newest(post_id % 64) == values


@given(streams)
def test_a_post_tells_of_an_age_once(events: Sequence[Event]) -> None:
    dates: dict[int, set[int]] = {}
    for event in events:
        if isinstance(event, PostsSeen | PostsEdited):
            for post in event.posts:
                dates.setdefault(post.post_id, set()).add(post.date_ms)
    told = [
        upsert_key(output)
        for output in Pure().fold_all(events)
        if isinstance(output, PostAge) and len(dates[output.post_id]) == 1
    ]
    assert len(told) == len(set(told))


def test_the_times_of_the_strategies_meet_the_edges_of_windows() -> None:
    assert T % MINUTE_MS == 0
