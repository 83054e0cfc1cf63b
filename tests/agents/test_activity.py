"""The exact edges of a channel's windows."""

from collections.abc import Sequence

from streams.analytics import (
    ActivityWindow,
    ChannelSummary,
    LateSamples,
    SubscribersWindow,
    Window,
)
from streams.events import (
    ChannelDescribed,
    ChannelStatus,
    CountersSampled,
    Post,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
    SubscribersSampled,
)
from streams.ids import PostId
from streams.units import MINUTE_MS
from tables.windows import LATENESS_MS
from tests.agents.pure import CHANNEL, Pure

T = 28_333_334 * MINUTE_MS
ONE = PostId(1)


def _views(at_ms: int, views: int, post_id: int = 1) -> CountersSampled:
    return CountersSampled(
        channel_id=CHANNEL, observed_at_ms=at_ms, post_ids=[PostId(post_id)], views=[views]
    )


def _seen(at_ms: int, *posts: Post) -> PostsSeen:
    return PostsSeen(channel_id=CHANNEL, observed_at_ms=at_ms, posts=list(posts))


def _post(number: int, date_ms: int, album_id: int | None = None) -> Post:
    return Post(post_id=PostId(number), date_ms=date_ms, album_id=album_id)


def _windows(outputs: Sequence[Window]) -> dict[int, ActivityWindow]:
    return {w.start_ms: w for w in outputs if isinstance(w, ActivityWindow)}


def _late(outputs: Sequence[Window]) -> list[tuple[int, int, int, int]]:
    return [
        (o.offset, o.from_ms, o.to_ms, o.samples) for o in outputs if isinstance(o, LateSamples)
    ]


def _newest(pure: Pure) -> dict[int, ActivityWindow]:
    return {w.start_ms: w for w in pure.upserts.values() if isinstance(w, ActivityWindow)}


def test_a_sample_at_the_window_edge_belongs_to_the_window_that_begins() -> None:
    pure = Pure()
    pure.fold_all([_views(T, 1), _views(T + MINUTE_MS - 1, 3), _views(T + MINUTE_MS, 7)])
    gains = {start: window.views_gained for start, window in _newest(pure).items()}
    assert gains == {T: 2, T + MINUTE_MS: 4}


def test_a_baseline_gains_nothing_and_tells_that_the_channel_was_sampled() -> None:
    (window,) = _windows(Pure().fold(_views(T + 5, 1))).values()
    assert (window.views_gained, window.samples) == (None, 0)
    assert (window.sampled_from_ms, window.sampled_to_ms) == (None, T + 5)


def test_a_window_closes_when_the_watermark_reaches_its_end_plus_the_lateness() -> None:
    pure = Pure()
    pure.fold_all([_views(T, 1), _views(T + 1, 3)])
    closes_ms = T + MINUTE_MS + LATENESS_MS
    assert not _windows(pure.fold(_views(closes_ms - 1, 3)))[closes_ms - MINUTE_MS].closed
    closed = _windows(pure.fold(_views(closes_ms, 3)))[T]
    assert (closed.closed, closed.views_gained) == (True, 2)


def test_a_sample_late_by_one_is_said_and_booked_nowhere() -> None:
    pure = Pure()
    pure.fold_all([_views(T, 1), _views(T + MINUTE_MS + LATENESS_MS, 10, post_id=2)])
    before = _newest(pure)
    late_ms = T + MINUTE_MS - 1
    assert _late(pure.fold(_views(late_ms, 5))) == [(2, late_ms, late_ms, 1)]
    assert pure.handled["late_message"] == pure.handled["late_sample"] == 1
    assert {start: w.views_gained for start, w in _newest(pure).items()} == {
        start: w.views_gained for start, w in before.items()
    }


def test_what_is_gained_after_a_late_sample_counts_from_it() -> None:
    pure = Pure()
    at_ms = T + MINUTE_MS + LATENESS_MS
    pure.fold_all([_views(T, 1), _views(at_ms, 10, post_id=2), _views(T + 1, 5)])
    assert _windows(pure.fold(_views(at_ms, 7)))[at_ms].views_gained == 2


def test_a_sample_older_than_its_post_is_said_with_the_minutes_that_it_puts_in_doubt() -> None:
    pure = Pure()
    pure.fold_all([_views(T, 1), _views(T + 3 * MINUTE_MS, 9)])
    outputs = pure.fold(_views(T + MINUTE_MS, 5))
    assert _late(outputs) == [(2, T + MINUTE_MS, T + 3 * MINUTE_MS, 1)]
    assert (pure.handled["late_message"], pure.handled["late_sample"]) == (0, 1)
    assert _windows(outputs)[T + MINUTE_MS].views_gained is None


def test_a_deletion_that_is_late_is_booked_nowhere() -> None:
    pure = Pure()
    pure.fold(_views(T + MINUTE_MS + LATENESS_MS, 1))
    gone = PostsDeleted(channel_id=CHANNEL, observed_at_ms=T, post_ids=[ONE])
    assert _windows(pure.fold(gone)) == {}
    assert pure.handled["late_message"] == 1


def test_a_late_message_without_counters_is_no_late_sample() -> None:
    pure = Pure()
    pure.fold(_views(T + MINUTE_MS + LATENESS_MS, 1))
    assert _late(pure.fold(_seen(T, _post(2, T)))) == []


def test_a_sample_just_not_late_gains_in_its_own_window() -> None:
    pure = Pure()
    pure.fold_all([_views(T, 1), _views(T + MINUTE_MS + LATENESS_MS - 1, 10, post_id=2)])
    assert _windows(pure.fold(_views(T + MINUTE_MS - 1, 5)))[T].views_gained == 4
    assert pure.handled["late_message"] == 0


def test_an_album_counts_once_and_other_posts_each() -> None:
    posts = [_post(1, T, 9), _post(2, T + 1, 9), _post(3, T + 2), _post(4, T + 3)]
    assert _windows(Pure().fold(_seen(T + 10, *posts)))[T].posts == 3


def test_a_post_dated_in_a_closed_minute_is_backfill() -> None:
    at_ms = T + MINUTE_MS + LATENESS_MS
    posts = _windows(
        Pure().fold(_seen(at_ms, _post(1, T + MINUTE_MS - 1), _post(2, T + MINUTE_MS)))
    )
    assert {start: window.posts for start, window in posts.items()} == {T + MINUTE_MS: 1}


def test_a_post_seen_twice_counts_once() -> None:
    pure = Pure()
    pure.fold_all([_seen(T, _post(1, T)), _seen(T + 5, _post(1, T), _post(2, T + 5))])
    assert _newest(pure)[T].posts == 2


def test_an_edit_counts_once_in_its_own_minute() -> None:
    edited = Post(post_id=ONE, date_ms=T - 10 * MINUTE_MS, edit_date_ms=T - 1)
    events = [
        PostsEdited(channel_id=CHANNEL, observed_at_ms=T + 1, posts=[edited]),
        PostsEdited(channel_id=CHANNEL, observed_at_ms=T + 2, posts=[edited]),
    ]
    pure = Pure()
    pure.fold_all(events)
    assert _newest(pure)[T - MINUTE_MS].edits == 1


def test_a_deletion_counts_once() -> None:
    pure = Pure()
    gone = PostsDeleted(channel_id=CHANNEL, observed_at_ms=T, post_ids=[ONE, PostId(2)])
    pure.fold_all([gone, gone])
    assert _newest(pure)[T].deletes == 2


def test_a_username_goes_only_where_it_is_known_to_be_gone() -> None:
    pure = Pure()
    names = []
    for n, (username, usernames) in enumerate([("a", ["a", "b"]), (None, None), (None, [])]):
        described = ChannelDescribed(
            channel_id=CHANNEL,
            observed_at_ms=T + n,
            title="A",
            username=username,
            usernames=usernames,
        )
        outputs = pure.fold(described)
        names += [o.username for o in outputs if isinstance(o, ChannelSummary)]
    assert names == ["a", None]


def test_a_duplicate_frame_is_counted_and_changes_no_window() -> None:
    pure = Pure()
    pure.fold_all([_views(T, 1), _views(T + 1, 3)])
    before = _newest(pure)
    outputs = pure.fold(_views(T + 1, 3))
    assert pure.handled["duplicate"] == 1
    assert _windows(outputs) == {}
    assert _newest(pure) == before


def test_the_same_offset_again_gives_the_windows_as_they_stand() -> None:
    pure = Pure()
    pure.fold_all([_views(T, 1), _views(T + 1, 3), _views(T + 2, 4)])
    again = _windows(pure.fold(_views(T + 1, 3), offset=1))
    assert again[T].views_gained == 3
    assert pure.handled["duplicate"] == 1


def test_a_counter_that_falls_is_counted() -> None:
    pure = Pure()
    pure.fold_all([_views(T, 5), _views(T + 1, 3)])
    assert _newest(pure)[T].views_gained == 0
    assert pure.handled["counter_fell"] == 1


def test_subscribers_by_minute_hour_and_day() -> None:
    pure = Pure()
    pure.fold_all(
        SubscribersSampled(channel_id=CHANNEL, observed_at_ms=at_ms, subscribers=count)
        for at_ms, count in ((T, 10), (T + 30_000, 14), (T + MINUTE_MS, 12))
    )
    spans = [w for w in pure.upserts.values() if isinstance(w, SubscribersWindow)]
    assert [(s.size_ms, s.first, s.last, s.low, s.high, s.samples) for s in spans] == [
        (MINUTE_MS, 10, 14, 10, 14, 2),
        (60 * MINUTE_MS, 10, 12, 10, 14, 3),
        (1440 * MINUTE_MS, 10, 12, 10, 14, 3),
        (MINUTE_MS, 12, 12, 12, 12, 1),
    ]


def test_a_newer_sample_alone_is_told_at_most_once_a_minute() -> None:
    pure = Pure()
    outputs = pure.fold_all(_views(T + n * 10_000, 5) for n in range(13))
    summaries = [o for o in outputs if isinstance(o, ChannelSummary)]
    assert [s.last_sample_at_ms for s in summaries] == [T, T + 60_000, T + 120_000]


def test_a_change_of_status_is_told_at_once_and_an_older_one_not() -> None:
    pure = Pure()
    away = ChannelStatus(channel_id=CHANNEL, observed_at_ms=T + 5, status="away", reason="cut")
    live = ChannelStatus(channel_id=CHANNEL, observed_at_ms=T + 4, status="live")
    outputs = pure.fold_all([_views(T, 1), away, away, live])
    assert [o.status for o in outputs if isinstance(o, ChannelSummary)] == ["unknown", "away"]
