"""Hypothesis strategies of everything that flows."""

from hypothesis import strategies as st

from streams import analytics, events
from streams.ids import MARK, ChannelId, PostId

channel_ids = st.integers(1, MARK - 1).map(ChannelId)
post_ids = st.integers(1, 2**31 - 1).map(PostId)
times_ms = st.integers(0, 4_102_444_800_000)
counts = st.integers(0, 2**53)
maybe_counts = st.none() | counts
names = st.text(max_size=40)

posts = st.builds(
    events.Post,
    post_id=post_ids,
    date_ms=times_ms,
    text=names,
    edit_date_ms=st.none() | times_ms,
    media=st.none() | st.sampled_from(("photo", "video", "poll")),
    album_id=st.none() | counts,
    forwarded_from=st.none() | names,
    views=maybe_counts,
    forwards=maybe_counts,
    replies=maybe_counts,
    reactions=st.none() | st.dictionaries(names, counts, max_size=4),
)
_head = {
    "channel_id": channel_ids,
    "observed_at_ms": times_ms,
    "source": st.sampled_from(("telegram", "recording", "import")),
}
_post_lists = st.lists(posts, max_size=4)


@st.composite
def _counters(draw: st.DrawFn) -> events.CountersSampled:
    ids = draw(st.lists(post_ids, max_size=5))
    column = st.none() | st.lists(maybe_counts, min_size=len(ids), max_size=len(ids))
    columns = {name: draw(column) for name in ("views", "forwards", "replies", "reactions")}
    head = {name: draw(strategy) for name, strategy in _head.items()}
    return events.CountersSampled(post_ids=ids, **columns, **head)


observations: st.SearchStrategy[events.Event] = st.one_of(
    st.builds(
        events.PostsSeen,
        posts=_post_lists,
        complete_since_ms=st.none() | st.integers(0, 2**52),
        **_head,
    ),
    st.builds(events.PostsEdited, posts=_post_lists, **_head),
    st.builds(events.PostsDeleted, post_ids=st.lists(post_ids, max_size=5), **_head),
    _counters(),
    st.builds(events.SubscribersSampled, subscribers=counts, **_head),
    st.builds(
        events.ChannelDescribed, title=st.none() | names, username=st.none() | names, **_head
    ),
    st.builds(events.ChannelStatus, status=names, reason=names, **_head),
    st.builds(events.StatisticsRead, graphs=st.dictionaries(names, names, max_size=3), **_head),
)

_decided = {"channel_id": channel_ids, "observed_at_ms": times_ms}
decisions: st.SearchStrategy[analytics.Analytics] = st.one_of(
    st.builds(
        analytics.ActivityWindow,
        start_ms=times_ms,
        views_gained=maybe_counts,
        posts=counts,
        closed=st.booleans(),
        sampled_from_ms=st.none() | times_ms,
        sampled_to_ms=st.none() | times_ms,
        top_post_id=st.none() | post_ids,
        top_views_gained=maybe_counts,
        **_decided,
    ),
    st.builds(
        analytics.LateSamples,
        **dict.fromkeys(("offset", "samples"), counts),
        **dict.fromkeys(("from_ms", "to_ms"), times_ms),
        **_decided,
    ),
    st.builds(
        analytics.SubscribersWindow,
        **dict.fromkeys(("start_ms", "size_ms"), times_ms),
        **dict.fromkeys(("first", "last", "low", "high", "samples"), counts),
        **_decided,
    ),
    st.builds(
        analytics.PostAge,
        post_id=post_ids,
        age_s=counts,
        views=maybe_counts | st.floats(0, 2**53),
        interpolated=st.booleans(),
        **_decided,
    ),
    st.builds(
        analytics.ChannelSummary, title=st.none() | names, subscribers=maybe_counts, **_decided
    ),
    st.builds(
        analytics.Alert,
        **dict.fromkeys(("alert_id", "type", "state", "method"), names),
        raised_at_ms=times_ms,
        observed=st.floats(allow_nan=False),
        expected=st.none() | st.floats(allow_nan=False),
        **_decided,
    ),
)
