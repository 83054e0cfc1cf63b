"""A small history in chDB, stored by the history agent from a log: real answers for the routes."""

import asyncio
from pathlib import Path

from agents.history.writer import HistoryAgent
from clickhouse.chdb import ChdbHistory
from streams import kinds
from streams.analytics import ActivityWindow, Alert, ChannelSummary, PostAge
from streams.codec import encode
from streams.events import (
    ChannelDescribed,
    CountersSampled,
    Event,
    Post,
    PostsSeen,
    SubscribersSampled,
)
from streams.ids import PostId
from streams.log import Draft, Log
from streams.metrics import Metrics
from streams.topics import UPDATES, channel_key
from streams.units import HOUR_MS, MINUTE_MS
from tests.api.serving import CHANNEL, NOW_MS, put

_FIRST, _SECOND = PostId(7), PostId(6)


def events() -> list[Event]:
    """Two posts of the last day: one with three samples, one that was never sampled."""
    published_ms = NOW_MS - 10 * HOUR_MS
    seen = PostsSeen(
        channel_id=CHANNEL,
        observed_at_ms=published_ms,
        posts=[
            Post(_FIRST, published_ms, "First", views=100, forwards=1, replies=0),
            Post(_SECOND, published_ms - HOUR_MS, "Second"),
        ],
    )
    return [
        ChannelDescribed(
            channel_id=CHANNEL, observed_at_ms=published_ms, title="Durov", username="durov"
        ),
        seen,
        SubscribersSampled(channel_id=CHANNEL, observed_at_ms=published_ms, subscribers=1_000),
        *(_sample(published_ms + hours * HOUR_MS, 100 + 400 * hours) for hours in (1, 4)),
        SubscribersSampled(
            channel_id=CHANNEL, observed_at_ms=NOW_MS - 2 * HOUR_MS, subscribers=1_010
        ),
    ]


def _sample(at_ms: int, views: int) -> CountersSampled:
    return CountersSampled(
        channel_id=CHANNEL,
        observed_at_ms=at_ms,
        post_ids=[_FIRST],
        views=[views],
        forwards=[views // 100],
        replies=[views // 200],
        reactions=[views // 50],
    )


def decisions() -> list[ActivityWindow | Alert | ChannelSummary | PostAge]:
    """What the agents would say of the first sample after an hour."""
    start_ms = NOW_MS - 9 * HOUR_MS
    return [
        ActivityWindow(
            channel_id=CHANNEL, observed_at_ms=start_ms, start_ms=start_ms, views_gained=400,
            forwards_gained=4, replies_gained=2, reactions_gained=10, posts=1, samples=1,
            closed=True, sampled_from_ms=start_ms - HOUR_MS, sampled_to_ms=start_ms,
        ),
        PostAge(
            channel_id=CHANNEL, observed_at_ms=start_ms, post_id=_FIRST, age_s=3_600, views=500,
            forwards=5, replies=2, reactions=10, interpolated=False,
        ),
        ChannelSummary(
            channel_id=CHANNEL, observed_at_ms=NOW_MS - 2 * HOUR_MS, title="Durov",
            username="durov", subscribers=1_010, first_observed_at_ms=NOW_MS - 10 * HOUR_MS,
            last_post_at_ms=NOW_MS - 10 * HOUR_MS, last_sample_at_ms=NOW_MS - 6 * HOUR_MS,
            status="live",
        ),
        Alert(
            channel_id=CHANNEL, observed_at_ms=start_ms, alert_id="spike-1", type="spike",
            state="resolved", raised_at_ms=start_ms, resolved_at_ms=start_ms + MINUTE_MS,
            post_id=_FIRST, observed=400.0, expected=80.0, method="ratio",
        ),
    ]  # fmt: skip


async def store(log: Log, folder: Path) -> ChdbHistory:
    """The messages above through the log and the history agent."""
    await log.create(UPDATES, 2)
    drafts = [
        Draft(UPDATES.name, channel_key(CHANNEL), encode(event), event.observed_at_ms)
        for event in events()
    ]
    await log.append(drafts)
    await put(log, *decisions())
    history = await ChdbHistory.open(folder)
    await history.migrate()
    agent = HistoryAgent(log, history, Metrics())
    running = asyncio.create_task(agent.run())
    ends = {
        partition: bounds.next
        for topic in (UPDATES, *kinds.TOPICS)
        for partition, bounds in (await log.bounds(topic.name)).items()
    }
    await agent.caught_up(ends)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return history
