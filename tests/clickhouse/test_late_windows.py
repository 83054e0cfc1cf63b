"""Windows that history computes of raw samples, held against plain Python over the same events."""

import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickhouse.chdb import ChdbHistory, ChdbSettings
from clickhouse.rows import ObservedRows
from streams.events import CountersSampled, Event, Post, PostsDeleted, PostsSeen, SubscribersSampled
from streams.ids import ChannelId, PostId
from streams.units import DAY_MS
from tests.clickhouse.minutes import COUNTERS, Channel

START_MS = 1_750_204_800_000
_channels = itertools.count(1_600_000_000)

#: Milliseconds after START_MS: some minutes, some hours, some days, and more than 90 days.
instants = st.one_of(
    st.integers(1, 20).map(lambda number: number * 20_000),
    st.integers(1, 60).map(lambda number: number * 3_600_000 + 7),
    st.integers(1, 4).map(lambda number: number * 40 * DAY_MS),
)
post_ids = st.integers(1, 6)
values = st.none() | st.integers(0, 60)


@st.composite
def told(draw: st.DrawFn) -> Sequence[Event]:
    """Events of one channel, in any order. A post keeps its date and its album."""
    channel = ChannelId(next(_channels))
    dates = {post_id: START_MS + draw(instants) for post_id in range(1, 7)}
    albums = {post_id: draw(st.sampled_from([None, None, 5, 6])) for post_id in range(1, 7)}
    events: list[Event] = []
    for _ in range(draw(st.integers(1, 12))):
        at_ms = START_MS + draw(instants)
        ids = sorted(draw(st.sets(post_ids, min_size=1)))
        kind = draw(st.sampled_from(["seen", "sampled", "sampled", "subscribers", "deleted"]))
        if kind == "seen":
            posts = [
                Post(
                    PostId(each), dates[each], "", album_id=albums[each],
                    views=draw(values), forwards=draw(values),
                )
                for each in ids
            ]  # fmt: skip
            events.append(PostsSeen(channel_id=channel, observed_at_ms=at_ms, posts=posts))
        elif kind == "sampled":
            views = [draw(values) for _ in ids]
            replies = draw(st.none() | st.just([draw(values) for _ in ids]))
            events.append(
                CountersSampled(
                    channel_id=channel, observed_at_ms=at_ms, post_ids=[PostId(i) for i in ids],
                    views=list(views), replies=replies,
                )
            )  # fmt: skip
        elif kind == "deleted":
            gone = [PostId(each) for each in ids]
            events.append(PostsDeleted(channel_id=channel, observed_at_ms=at_ms, post_ids=gone))
        else:
            events.append(
                SubscribersSampled(channel_id=channel, observed_at_ms=at_ms, subscribers=7)
            )
    return events


@pytest.fixture
async def history(engine: Path, database: str) -> AsyncIterator[ChdbHistory]:
    history = await ChdbHistory.open(engine, ChdbSettings(database=database, readers=1))
    await history.migrate()
    yield history
    await history.close()


async def store(history: ChdbHistory, events: Sequence[Event]) -> None:
    rows = ObservedRows()
    for event in events:
        rows.take(event)
    for insert in rows.inserts("told"):
        await history.insert(insert)


async def recomputed(history: ChdbHistory, channel: int) -> dict[int, dict[str, Any]]:
    span = {"channel_id": channel, "from_ms": START_MS, "to_ms": START_MS + 400 * DAY_MS}
    answer = await history.ask("recomputed_windows", span)
    return {
        row["start"] * 1000: {
            "samples": row["samples"],
            "from": row["sampled_from"],
            "to": row["sampled_to"],
            **{name: gain for name in COUNTERS if (gain := row[f"{name}_gained"]) is not None},
        }
        for row in answer.rows
    }


async def test_minutes_of_any_events_in_any_order(history: ChdbHistory) -> None:
    examples = _examples(24)
    await store(history, [event for events in examples for event in events])
    for events in examples:
        found = await recomputed(history, events[0].channel_id)
        assert found == Channel(events).minutes(), events


def _examples(count: int) -> Sequence[Sequence[Event]]:
    """Drawn first, because asking the engine is asynchronous and Hypothesis is not."""
    examples: list[Sequence[Event]] = []

    @settings(
        max_examples=count, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(told())
    def collect(events: Sequence[Event]) -> None:
        examples.append(events)

    collect()
    return examples
