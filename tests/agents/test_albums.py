"""An album of six photos is one post with one counter, however it is told."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.analytics import ActivityWindow, Alert
from streams.events import CountersSampled, Event, Post, PostsDeleted, PostsSeen
from streams.ids import PostId
from streams.units import MINUTE_MS
from tests.agents.pure import CHANNEL, Pure

T = 28_333_334 * MINUTE_MS
ALBUM = 777
MEMBERS = [PostId(60 + number) for number in range(6)]


def _seen(at_ms: int, ids: Iterable[PostId], album_id: int | None = ALBUM) -> PostsSeen:
    posts = [Post(post_id, T + 1, album_id=album_id) for post_id in ids]
    return PostsSeen(channel_id=CHANNEL, observed_at_ms=at_ms, posts=posts)


def _views(at_ms: int, ids: Sequence[PostId], *views: int) -> CountersSampled:
    """Each of the posts, or all of them alike."""
    columns = list(views) * (len(ids) // len(views))
    return CountersSampled(channel_id=CHANNEL, observed_at_ms=at_ms, post_ids=ids, views=columns)


def _old(minute: int) -> CountersSampled:
    return _views(T + minute * MINUTE_MS, [PostId(1)], 1000 + 10 * minute)


def _windows(pure: Pure) -> dict[int, ActivityWindow]:
    windows = (w for w in pure.upserts.values() if isinstance(w, ActivityWindow))
    return {(w.start_ms - T) // MINUTE_MS: w for w in windows}


def _folded(*events: Event) -> Pure:
    pure = Pure()
    pure.fold_all(events)
    return pure


def test_an_album_gains_what_its_counter_gains() -> None:
    sampled = [_views(T + minute * MINUTE_MS, MEMBERS, 100 * minute) for minute in (1, 2, 3)]
    windows = _windows(_folded(_old(0), _seen(T + MINUTE_MS, MEMBERS), *sampled))
    assert [windows[minute].views_gained for minute in (1, 2, 3)] == [100, 100, 100]
    assert [windows[minute].samples for minute in (1, 2, 3)] == [1, 1, 1]
    assert windows[0].posts == 1
    assert windows[2].views_pace == 100
    assert (windows[2].top_post_id, windows[2].top_views_gained) == (MEMBERS[0], 100)


def test_an_album_over_two_minutes_is_one_post() -> None:
    posts = [Post(MEMBERS[0], T + MINUTE_MS - 1, album_id=ALBUM)]
    posts += [Post(MEMBERS[1], T + MINUTE_MS, album_id=ALBUM)]
    seen = PostsSeen(channel_id=CHANNEL, observed_at_ms=T + MINUTE_MS, posts=posts)
    assert [w.posts for w in _windows(_folded(seen)).values()] == [1]


@given(
    st.permutations(MEMBERS),
    st.lists(st.integers(0, 5), max_size=3),
    st.integers(0, 9 * MINUTE_MS),
)
def test_members_in_any_order_and_in_any_messages_gain_the_same(
    order: list[PostId], cuts: list[int], apart_ms: int
) -> None:
    edges = sorted({0, *cuts, len(order)})
    pages = [order[start:stop] for start, stop in pairwise(edges)]
    end_ms = T + 20 * MINUTE_MS
    told: list[Event] = [_old(0)]
    for number, page in enumerate(pages):
        # Out of order, but not late.
        at_ms = T + 10 * MINUTE_MS - apart_ms * number // len(pages)
        told += [_seen(at_ms, page), _views(at_ms, page, 40)]
    pure = _folded(*told, _views(end_ms, MEMBERS, 70))
    windows = _windows(pure).values()
    assert sum(w.views_gained or 0 for w in windows) == 70
    assert sum(w.posts for w in windows) == 1
    assert sum(w.samples for w in windows) == 2


def test_whoever_takes_the_place_of_a_deleted_leader_counts_from_its_own_values() -> None:
    gone = PostsDeleted(channel_id=CHANNEL, observed_at_ms=T + 3 * MINUTE_MS, post_ids=MEMBERS[:1])
    left = MEMBERS[1:]
    pure = _folded(
        _old(0),
        _seen(T + MINUTE_MS, MEMBERS),
        _views(T + MINUTE_MS, MEMBERS, 10, 11, 12, 13, 14, 15),
        gone,
        _views(T + 4 * MINUTE_MS, left, 21, 32, 43, 54, 65),
    )
    windows = _windows(pure)
    assert (windows[1].views_gained, windows[4].views_gained) == (10, 10)
    assert (windows[4].top_post_id, windows[4].samples) == (MEMBERS[1], 1)


def test_a_leader_in_another_bucket_is_stored_with_the_message_that_changed_it() -> None:
    pure = _folded(_seen(T, MEMBERS), _views(T, MEMBERS, 10))
    pure.fold(PostsDeleted(channel_id=CHANNEL, observed_at_ms=T + 1, post_ids=MEMBERS[:4]))
    offset = pure.channels[CHANNEL].last_offset
    assert pure.buckets[CHANNEL][1].last_offset == offset
    pure.restart()
    pure.fold(_views(T + 2, MEMBERS[4:], 15, 18))
    assert _windows(pure)[0].views_gained == 10 + 5


def _posted(album_id: int | None) -> list[Alert]:
    """After a calm hour six photos at once, each of them seen by as many as the whole channel."""
    others = [PostId(1 + number) for number in range(8)]
    calm = [_views(T + n * MINUTE_MS, others, 100 + n) for n in range(70)]
    at_ms = T + 60 * MINUTE_MS
    photos = [Post(each, at_ms - 1, album_id=album_id, views=9) for each in MEMBERS]
    seen = PostsSeen(channel_id=CHANNEL, observed_at_ms=at_ms, posts=photos)
    pure = _folded(*calm[:60], seen, *calm[60:])
    return [alert for alert in pure.upserts.values() if isinstance(alert, Alert)]


def test_an_album_of_six_photos_is_no_spike_and_six_posts_are() -> None:
    assert _posted(ALBUM) == []
    (alert,) = _posted(None)
    assert (alert.type, alert.post_id) == ("spike", MEMBERS[0])


def test_an_alert_names_the_leader_of_an_album_that_takes_off() -> None:
    members = [_views(T + n * MINUTE_MS, MEMBERS, 10 * n + 90 * max(n - 60, 0)) for n in range(62)]
    pure = _folded(_old(0), _seen(T, MEMBERS), *members)
    (alert,) = (message for message in pure.upserts.values() if isinstance(message, Alert))
    assert (alert.post_id, alert.observed) == (MEMBERS[0], 100)
