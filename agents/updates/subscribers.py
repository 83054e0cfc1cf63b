"""A channel's subscribers per minute, hour and day."""

from collections.abc import Iterable, Iterator

from agents.updates.channel import WINDOW_SIZES_MS, Channel, SubscriberStats
from agents.updates.folding import Fold
from streams.analytics import SubscribersWindow, Window
from streams.events import SubscribersSampled
from streams.ids import ChannelId
from tables.windows import oldest_open, start_of


def put_subscribers(fold: Fold) -> Iterable[Window]:
    """Close the windows that the watermark has passed, and yield those that the sample changed.

    A sample does not change a window that is already closed.
    """
    channel, event = fold.channel, fold.event
    if channel.subscriber_stats:
        yield from _close(channel, event.channel_id)
    if isinstance(event, SubscribersSampled):
        for size_ms in WINDOW_SIZES_MS:
            start_ms = start_of(event.observed_at_ms, size_ms)
            if start_ms >= oldest_open(channel.watermark_ms, size_ms):
                stats = _add(channel, start_ms, size_ms, event)
                yield _window(event.channel_id, stats, closed=False)


def subscribers_again(fold: Fold) -> Iterator[SubscribersWindow]:
    """The present windows, sent again: a crash may have prevented the first sending."""
    channel_id = fold.event.channel_id
    for stats in fold.channel.closed_subscriber_stats:
        yield _window(channel_id, stats, closed=True)
    for stats in fold.channel.subscriber_stats:
        yield _window(channel_id, stats, closed=False)


def _close(channel: Channel, channel_id: ChannelId) -> Iterator[SubscribersWindow]:
    oldest_ms = {size_ms: oldest_open(channel.watermark_ms, size_ms) for size_ms in WINDOW_SIZES_MS}
    closed = [
        stats for stats in channel.subscriber_stats if stats.start_ms < oldest_ms[stats.size_ms]
    ]
    if closed:
        channel.close_subscriber_stats(closed)
        for stats in closed:
            yield _window(channel_id, stats, closed=True)


def _add(
    channel: Channel, start_ms: int, size_ms: int, event: SubscribersSampled
) -> SubscriberStats:
    subscribers, at_ms = event.subscribers, event.observed_at_ms
    for stats in channel.subscriber_stats:
        if stats.start_ms == start_ms and stats.size_ms == size_ms:
            stats.add(subscribers, at_ms)
            return stats
    stats = SubscriberStats(
        start_ms, size_ms, subscribers, at_ms, subscribers, at_ms, subscribers, subscribers
    )
    channel.subscriber_stats.append(stats)
    return stats


def _window(channel_id: ChannelId, stats: SubscriberStats, *, closed: bool) -> SubscribersWindow:
    return SubscribersWindow(
        channel_id=channel_id,
        observed_at_ms=stats.last_ms,
        start_ms=stats.start_ms,
        size_ms=stats.size_ms,
        first=stats.first,
        last=stats.last,
        low=stats.low,
        high=stats.high,
        samples=stats.samples,
        closed=closed,
    )
