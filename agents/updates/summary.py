"""The newest facts of a channel and counters of its posts, which a page shows first."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from agents.updates.buckets import COUNTERS, SLOT_MASK, taken
from agents.updates.channel import Facts
from agents.updates.folding import Fold
from agents.updates.runs import stretches
from streams.analytics import ChannelSummary, PostCounters, Window
from streams.events import (
    ChannelDescribed,
    ChannelStatus,
    CountersSampled,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
    StatisticsRead,
    SubscribersSampled,
)
from streams.ids import PostId
from streams.units import MINUTE_MS


def put_counters(fold: Fold) -> Iterable[Window]:
    """Yield the newest counters of the posts that changed or were seen for the first time."""
    moved = fold.moved.changed if fold.moved is not None else []
    if fold.seen:
        moved = list(dict.fromkeys([*fold.seen, *moved]))
    if moved:
        yield counters_of(fold, moved)


def counters_of(fold: Fold, post_ids: Sequence[PostId]) -> PostCounters:
    """The present newest counters of some posts."""
    columns: list[list[int | None]] = [[] for _ in range(1 + COUNTERS)]
    for number, start, stop in stretches(post_ids):
        take = taken([post_id & SLOT_MASK for post_id in post_ids[start:stop]])
        bucket = fold.buckets[number]
        for column, values in zip(columns, (bucket.dates_ms, *bucket.counters), strict=True):
            column.extend(take(values))
    dates_ms, views, forwards, replies, reactions = columns
    return PostCounters(
        channel_id=fold.event.channel_id,
        observed_at_ms=fold.event.observed_at_ms,
        post_ids=list(post_ids),
        dates_ms=dates_ms,
        views=views,
        forwards=forwards,
        replies=replies,
        reactions=reactions,
    )


def put_summary(fold: Fold) -> Iterable[Window]:
    """Yield the summary of a new or changed channel; for a newer sample alone, once per minute."""
    channel = fold.channel
    changed = _fold(fold, channel.facts)
    sample_ms = channel.facts.last_sample_ms
    if sample_ms is not None and sample_ms // MINUTE_MS != channel.sample_sent_ms // MINUTE_MS:
        changed = True
    if changed or fold.event.observed_at_ms == channel.first_observed_ms:
        channel.sample_sent_ms = -1 if sample_ms is None else sample_ms
        yield summary_of(fold)


def summary_of(fold: Fold) -> ChannelSummary:
    """The channel's present summary."""
    channel, facts = fold.channel, fold.channel.facts
    return ChannelSummary(
        channel_id=fold.event.channel_id,
        observed_at_ms=channel.watermark_ms,
        title=facts.title,
        username=facts.username,
        subscribers=facts.subscribers,
        first_observed_at_ms=channel.first_observed_ms,
        last_post_at_ms=facts.last_post_ms,
        last_sample_at_ms=facts.last_sample_ms,
        status=facts.status,
        status_reason=facts.status_reason,
        status_until_ms=facts.status_until_ms,
    )


def _fold(fold: Fold, facts: Facts) -> bool:
    """Update the facts. True if any but the instant of the newest sample changed."""
    event, at_ms = fold.event, fold.event.observed_at_ms
    if fold.moved is not None:
        facts.sampled(at_ms)
    match event:
        case SubscribersSampled():
            facts.sampled(at_ms)
            return facts.count_subscribers(event.subscribers, at_ms)
        case ChannelDescribed():
            nameless = event.usernames == []
            return facts.describe(event.title, event.username, at_ms, nameless=nameless)
        case ChannelStatus():
            return facts.put_status(event.status, event.reason, event.until_ms, at_ms)
        case PostsSeen() | PostsEdited() | PostsDeleted() | CountersSampled() | StatisticsRead():
            dates_ms = [date_ms for date_ms, _ in fold.published]
            return bool(dates_ms) and facts.posted(max(dates_ms))
        case _:
            assert_never(event)
