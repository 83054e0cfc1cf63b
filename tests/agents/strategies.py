"""Streams of events of one channel, near enough in time to meet in windows."""

from hypothesis import strategies as st

from streams import events
from streams.events import Event, Post
from streams.ids import PostId
from tests.agents.pure import CHANNEL

T = 1_700_000_040_000
MINUTE = 60_000

post_ids = st.integers(1, 140).map(PostId)
times_ms = st.integers(0, 30).map(lambda n: T + n * 47_000) | st.integers(T, T + 40 * MINUTE)
counters = st.none() | st.integers(0, 500)
reactions = st.none() | st.dictionaries(st.sampled_from(["👍", "❤"]), st.integers(0, 9), max_size=2)


def album_of(post_id: PostId) -> int | None:
    """Ten posts in a row are one album, and the next ten are none: a post never changes it."""
    number = post_id // 10
    return None if number % 2 else 1 + number


posts = post_ids.flatmap(
    lambda post_id: st.builds(
        Post,
        post_id=st.just(post_id),
        date_ms=st.integers(T - 20 * MINUTE, T + 20 * MINUTE),
        edit_date_ms=st.none() | st.integers(T, T + 30 * MINUTE),
        album_id=st.just(album_of(post_id)),
        views=counters,
        forwards=counters,
        reactions=reactions,
    )
)
_posts = st.lists(posts, min_size=1, max_size=4)


@st.composite
def sampled(draw: st.DrawFn) -> events.CountersSampled:
    ids = draw(st.lists(post_ids, min_size=1, max_size=6))
    column = st.none() | st.lists(counters, min_size=len(ids), max_size=len(ids))
    return events.CountersSampled(
        channel_id=CHANNEL,
        observed_at_ms=draw(times_ms),
        post_ids=ids,
        views=draw(column),
        forwards=draw(column),
        replies=draw(column),
        reactions=draw(column),
    )


def _build(kind: type[Event], **fields: object) -> st.SearchStrategy[Event]:
    return st.builds(kind, channel_id=st.just(CHANNEL), observed_at_ms=times_ms, **fields)


event = st.one_of(
    sampled(),
    _build(events.PostsSeen, posts=_posts),
    _build(events.PostsEdited, posts=_posts),
    _build(events.PostsDeleted, post_ids=st.lists(post_ids, max_size=3, unique=True)),
    _build(events.SubscribersSampled, subscribers=st.integers(0, 1000)),
    _build(events.ChannelDescribed, title=st.none() | st.sampled_from("ab")),
    _build(events.ChannelStatus, status=st.sampled_from(["live", "away"])),
)
streams = st.lists(event, max_size=25)
