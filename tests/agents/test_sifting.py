"""A message of which something is wrong: the rest is taken, and nothing is lost on the way."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.engine.reasons import Rejected
from agents.history.batch import HistoryBatch
from agents.updates import check
from agents.updates.check import Checked
from agents.updates.sifting import Part
from streams import topics
from streams.codec import decode_event, encode
from streams.events import (
    CountersSampled,
    Event,
    Post,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
)
from streams.ids import MARK, PostId
from streams.limits import FIRST_MS, HIGHEST_COUNTER, SKEW_MS
from streams.log import Batch, Draft, Partition, Record
from streams.topics import channel_key
from tests.agents.pure import CHANNEL
from tests.agents.working import append, drafts_of, records, rows, working

T = 1_700_000_040_000
ONE, TWO, THREE = PostId(1), PostId(2), PostId(3)
LATER_MS = T + SKEW_MS + 1


def read_event(data: bytes) -> Checked:
    """As it is read from a log that does not know when it appended the message."""
    return check.read_event(Record(0, T, None, data, {}))


def seen(*posts: Post) -> PostsSeen:
    return PostsSeen(channel_id=CHANNEL, observed_at_ms=T, posts=list(posts))


def sample(ids: list[PostId], **columns: list[int | None] | None) -> CountersSampled:
    return CountersSampled(channel_id=CHANNEL, observed_at_ms=T, post_ids=ids, **columns)


def reasons(parts: Sequence[Part]) -> list[str]:
    return [part.reason for part in parts]


def test_one_bad_post_of_a_page_costs_that_post() -> None:
    page = [Post(PostId(n), T - n, views=n) for n in range(1, 100)]
    found = read_event(encode(seen(*page[:50], Post(PostId(100), LATER_MS), *page[50:])))
    assert found.event == seen(*page)
    assert found.refused == [
        Part(
            "future_date",
            "post 100: dated 300 s after it was observed",
            seen(Post(PostId(100), LATER_MS)),
            1,
        )
    ]


def test_posts_are_refused_reason_by_reason() -> None:
    found = read_event(
        encode(
            seen(
                Post(ONE, T), Post(PostId(0), T), Post(TWO, 5), Post(PostId(-1), T), Post(THREE, T)
            )
        )
    )
    assert found.event == seen(Post(ONE, T), Post(THREE, T))
    assert reasons(found.refused) == ["out_of_range", "past_date"]
    assert [part.posts for part in found.refused] == [2, 1]


@pytest.mark.parametrize(
    ("bad", "taken", "reason"),
    [
        (Post(ONE, T, views=-1, forwards=2), Post(ONE, T, forwards=2), "negative_counter"),
        (Post(ONE, T, replies=HIGHEST_COUNTER + 1), Post(ONE, T), "out_of_range"),
        (
            Post(ONE, T, views=5, reactions={"👍": 1, "❤": -1}),
            Post(ONE, T, views=5),
            "negative_counter",
        ),
        (Post(ONE, T, edit_date_ms=LATER_MS, views=1), Post(ONE, T, views=1), "future_date"),
        (Post(ONE, T, edit_date_ms=FIRST_MS - 1), Post(ONE, T), "past_date"),
    ],
)
def test_a_bad_value_of_a_post_is_not_known_and_the_post_is_taken(
    bad: Post, taken: Post, reason: str
) -> None:
    found = read_event(encode(seen(bad)))
    assert found.event == seen(taken)
    [part] = found.refused
    assert (part.reason, part.event) == (reason, seen(bad))


def test_one_bad_counter_does_not_cost_the_others() -> None:
    found = read_event(encode(sample([ONE, TWO, THREE], views=[5, -1, 7], forwards=[1, 2, None])))
    assert found.event == sample([ONE, TWO, THREE], views=[5, None, 7], forwards=[1, 2, None])
    [part] = found.refused
    assert (part.reason, part.detail) == ("negative_counter", "post 2: views: a counter of -1")
    assert part.event == sample([TWO], views=[-1])


def test_a_post_whose_only_counter_is_bad_is_not_sampled() -> None:
    found = read_event(encode(sample([ONE, TWO], views=[5, -1])))
    assert found.event == sample([ONE], views=[5])


def test_a_column_that_is_too_short_does_not_cost_the_others() -> None:
    found = read_event(encode(sample([ONE, TWO], views=[5, 6], replies=[1])))
    assert found.event == sample([ONE, TWO], views=[5, 6])
    [part] = found.refused
    assert (part.reason, part.event) == ("uneven_columns", sample([ONE, TWO], replies=[1]))


def test_a_post_without_an_id_does_not_cost_the_others() -> None:
    found = read_event(encode(sample([PostId(-1), TWO], views=[5, 6])))
    assert found.event == sample([TWO], views=[6])
    assert found.refused[0].event == sample([PostId(-1)], views=[5])


def test_deletions_that_can_be_are_taken() -> None:
    deleted = PostsDeleted(channel_id=CHANNEL, observed_at_ms=T, post_ids=[ONE, PostId(0), TWO])
    found = read_event(encode(deleted))
    assert found.event == msgspec.structs.replace(deleted, post_ids=[ONE, TWO])
    assert found.refused[0].event == msgspec.structs.replace(deleted, post_ids=[PostId(0)])


def test_a_marked_channel_is_bare_in_the_parts_as_well() -> None:
    marked = msgspec.structs.replace(sample([ONE, TWO], views=[5, -1]), channel_id=-MARK - CHANNEL)
    found = read_event(encode(marked))
    assert {found.event.channel_id, found.refused[0].event.channel_id} == {CHANNEL}


dates_ms = st.sampled_from((T, T - 1, FIRST_MS, FIRST_MS - 1, 0, -1, T + SKEW_MS, LATER_MS))
counters = st.none() | st.sampled_from((0, 1, 7, -1, HIGHEST_COUNTER, HIGHEST_COUNTER + 1))
ids = st.sampled_from((1, 2, 64, 0, -1)).map(PostId)
posts = st.builds(
    Post,
    post_id=ids,
    date_ms=dates_ms,
    edit_date_ms=st.none() | dates_ms,
    views=counters,
    forwards=counters,
    reactions=st.none() | st.dictionaries(st.sampled_from("ab"), st.integers(-1, 3), max_size=2),
)


@st.composite
def samples(draw: st.DrawFn) -> CountersSampled:
    post_ids = draw(st.lists(ids, max_size=5))
    odd = st.integers(-1, 1) if post_ids else st.just(0)
    columns = {}
    for name in ("views", "forwards", "replies", "reactions"):
        size = len(post_ids) + (draw(odd) if draw(st.integers(0, 3)) == 0 else 0)
        columns[name] = draw(st.none() | st.lists(counters, min_size=size, max_size=size))
    return sample(post_ids, **columns)


def values_of(event: Event) -> list[tuple[int, str, int]]:
    """Every counter that a sample says, with its post."""
    assert isinstance(event, CountersSampled)
    return [
        (post_id, name, value)
        for name in ("views", "forwards", "replies", "reactions")
        for post_id, value in zip(event.post_ids, getattr(event, name) or (), strict=False)
        if value is not None
    ]


@given(samples())
def test_every_counter_is_taken_or_refused_and_none_is_both(event: CountersSampled) -> None:
    try:
        found = read_event(encode(event))
    except Rejected:
        return
    assert not read_event(encode(found.event)).refused
    even = [
        name
        for name in ("views", "forwards", "replies", "reactions")
        if (column := getattr(event, name)) is not None and len(column) == len(event.post_ids)
    ]
    told = [*values_of(found.event)]
    for part in found.refused:
        if part.reason == "uneven_columns":
            continue
        with pytest.raises(Rejected):
            read_event(encode(part.event))
        told += values_of(part.event)
    assert sorted(told) == sorted(one for one in values_of(event) if one[1] in even)


@given(st.lists(posts, max_size=5), st.sampled_from((PostsSeen, PostsEdited)))
def test_every_post_is_taken_or_refused(
    posts: list[Post], kind: type[PostsSeen | PostsEdited]
) -> None:
    event = kind(channel_id=CHANNEL, observed_at_ms=T, posts=posts)
    try:
        found = read_event(encode(event))
    except Rejected:
        assert posts
        return
    assert isinstance(found.event, kind)
    assert not read_event(encode(found.event)).refused
    refused = [post for part in found.refused for post in part.event.posts]  # type: ignore[union-attr]
    taken = {(post.post_id, post.date_ms) for post in found.event.posts}
    assert {(post.post_id, post.date_ms) for post in posts} == taken | {
        (post.post_id, post.date_ms) for post in refused
    }
    assert all(post in posts for post in refused)


async def test_the_rest_of_a_page_is_processed_and_what_is_refused_is_put_aside(
    tmp_path: Path,
) -> None:
    bad = Post(PostId(100), LATER_MS, views=3)
    page = seen(*(Post(PostId(n), T - 1000, views=n) for n in range(1, 100)), bad)
    async with working(tmp_path) as work:
        [(at, offset)] = await work.log.append(
            [Draft(topics.UPDATES.name, channel_key(CHANNEL), encode(page), T, {"trace": b"7"})]
        )
        await append(work.log, drafts_of([sample([ONE], views=[9])]))
        await work.settled()
        [dead] = await records(work.log, topics.UPDATES.dead)
        assert decode_event(dead.value or b"") == seen(bad)
        assert dead.headers["reason"] == b"future_date"
        assert dead.headers["refused_posts"] == b"1"
        assert dead.headers["trace"] == b"7"
        assert (dead.headers["partition"], dead.headers["offset"]) == (
            b"%d" % at.number,
            b"%d" % offset,
        )
        assert work.counted("dropped", stage="updates", reason="future_date") == 1
        assert {"posts 42/0", "posts 42/1"} <= set(rows(work.app))


def test_history_takes_the_rest_of_a_page_and_counts_what_it_does_not() -> None:
    page = seen(Post(ONE, T, views=1), Post(TWO, LATER_MS), Post(THREE, T, views=-1))
    batch = HistoryBatch()
    place = Partition(topics.UPDATES.name, 0)
    batch.take(Batch(place, [Record(0, T, channel_key(CHANNEL), encode(page), {})]))
    tables = {rows.table: rows.columns for rows in batch.inserts()}
    assert tables["posts"]["post_id"] == [1, 3]
    assert tables["post_samples"]["post_id"] == [1]
    assert batch.dropped == {"future_date": 1, "negative_counter": 1}
