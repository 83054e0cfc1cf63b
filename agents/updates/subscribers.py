"""A channel's subscribers by minute, hour and day."""

from collections.abc import Iterable, Iterator

from agents.updates.channel import SPANS_MS, Channel, Span
from agents.updates.folding import Turn
from streams.analytics import SubscribersWindow, Window
from streams.events import SubscribersSampled
from streams.ids import ChannelId
from tables.windows import oldest_open, start_of


def put_subscribers(turn: Turn) -> Iterable[Window]:
    """Close what the watermark has passed, and give the windows that the sample changed.

    A sample that comes after a window's end plus the lateness does not change that window.
    """
    channel, event = turn.channel, turn.event
    if channel.spans:
        yield from _close(channel, event.channel_id)
    if isinstance(event, SubscribersSampled):
        for size_ms in SPANS_MS:
            start_ms = start_of(event.observed_at_ms, size_ms)
            if start_ms >= oldest_open(channel.watermark_ms, size_ms):
                span = _add(channel, start_ms, size_ms, event)
                yield _window(event.channel_id, span, closed=False)


def subscribers_again(turn: Turn) -> Iterator[SubscribersWindow]:
    """The windows as they stand: what a replayed message may have failed to send."""
    channel_id = turn.event.channel_id
    for span in turn.channel.closed_spans:
        yield _window(channel_id, span, closed=True)
    for span in turn.channel.spans:
        yield _window(channel_id, span, closed=False)


def _close(channel: Channel, channel_id: ChannelId) -> Iterator[SubscribersWindow]:
    oldest_ms = {size_ms: oldest_open(channel.watermark_ms, size_ms) for size_ms in SPANS_MS}
    closed = [span for span in channel.spans if span.start_ms < oldest_ms[span.size_ms]]
    if closed:
        channel.close_spans(closed)
        for span in closed:
            yield _window(channel_id, span, closed=True)


def _add(channel: Channel, start_ms: int, size_ms: int, event: SubscribersSampled) -> Span:
    subscribers, at_ms = event.subscribers, event.observed_at_ms
    for span in channel.spans:
        if span.start_ms == start_ms and span.size_ms == size_ms:
            span.add(subscribers, at_ms)
            return span
    span = Span(start_ms, size_ms, subscribers, at_ms, subscribers, at_ms, subscribers, subscribers)
    channel.spans.append(span)
    return span


def _window(channel_id: ChannelId, span: Span, *, closed: bool) -> SubscribersWindow:
    return SubscribersWindow(
        channel_id=channel_id,
        observed_at_ms=span.last_ms,
        start_ms=span.start_ms,
        size_ms=span.size_ms,
        first=span.first,
        last=span.last,
        low=span.low,
        high=span.high,
        samples=span.samples,
        closed=closed,
    )
