"""Hypothesis strategies of everything that flows."""

from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from streams import analytics, events
from streams.ids import MARK, ChannelId, PostId
from streams.kinds import KINDS

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


def messages_of(struct: type[Any]) -> st.SearchStrategy[Any]:
    """Messages of any struct, by the types of its fields; their names say which are times."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return st.builds(struct, **{each.name: _values(each.name, each.type) for each in info.fields})


def _values(name: str, of: inspect.Type) -> st.SearchStrategy[Any]:
    match of:
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.StrType():
            return names
        case inspect.FloatType():
            return st.floats(allow_nan=False)
        case inspect.IntType() if name == "v":
            return st.just(events.VERSION)
        case inspect.IntType():
            named = {"channel_id": channel_ids, "post_id": post_ids, "post_ids": post_ids}
            return named.get(name, times_ms if name.endswith("_ms") else counts)
        case inspect.UnionType():
            return st.one_of(*(_values(name, each) for each in of.types))
        case inspect.ListType():
            return st.lists(_values(name, of.item_type), max_size=5)
        case _:
            raise TypeError(f"no strategy for {name}: {of}")


decisions: st.SearchStrategy[analytics.Analytics] = st.one_of(
    *(messages_of(kind.struct) for kind in KINDS)
)
