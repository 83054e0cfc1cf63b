"""Activity of a channel per minute: gains of its posts; posts, edits and deletions."""

from collections.abc import Iterable, Iterator

from agents.updates.folding import Fold
from agents.updates.minute import Minute
from streams.analytics import ActivityWindow, Window
from streams.ids import ChannelId
from streams.units import MINUTE_MS
from tables.windows import start_of


def put_activity(fold: Fold) -> Iterable[Window]:
    """Close the minutes that the watermark has passed, and yield each changed window once."""
    channel_id = fold.event.channel_id
    for minute in fold.channel.close_minutes(fold.oldest_minute_ms):
        yield _window(channel_id, minute, closed=True)
    changed: dict[int, Minute] = {}
    _put_gains(fold, changed)
    _put_posts(fold, changed)
    for start_ms in sorted(changed):
        yield _window(channel_id, changed[start_ms], closed=False)


def activity_again(fold: Fold) -> Iterator[ActivityWindow]:
    """The present windows, sent again: a crash may have prevented the first sending."""
    channel_id = fold.event.channel_id
    for minute in fold.channel.closed_minutes:
        yield _window(channel_id, minute, closed=True)
    for minute in fold.channel.minutes.values():
        yield _window(channel_id, minute, closed=False)


def _put_gains(fold: Fold, changed: dict[int, Minute]) -> None:
    """A late message books nothing: its minute is closed, and no other minute would be right."""
    moved = fold.moved
    if fold.sampled:
        sampled = fold.channel.put_sampling(fold.event.observed_at_ms, fold.oldest_minute_ms)
        changed.update((minute.start_ms, minute) for minute in sampled)
    if fold.is_late:
        return
    if moved is not None and moved.measured:
        _touched(fold, fold.minute_ms, changed).add_gains(moved)
    if fold.deleted:
        _touched(fold, fold.minute_ms, changed).deletes += fold.deleted


def _put_posts(fold: Fold, changed: dict[int, Minute]) -> None:
    """Posts and edits count in the minute of their date while that minute is open."""
    for date_ms, counts in fold.published:
        start_ms = start_of(date_ms, MINUTE_MS)
        if counts and start_ms >= fold.oldest_minute_ms:
            _touched(fold, start_ms, changed).posts += 1
    for edited_ms in fold.edited_ms:
        start_ms = start_of(edited_ms, MINUTE_MS)
        if start_ms >= fold.oldest_minute_ms:
            _touched(fold, start_ms, changed).edits += 1


def _touched(fold: Fold, start_ms: int, changed: dict[int, Minute]) -> Minute:
    minute = fold.channel.minute(start_ms, fold.event.observed_at_ms)
    changed[start_ms] = minute
    return minute


def _window(channel_id: ChannelId, minute: Minute, *, closed: bool) -> ActivityWindow:
    views, forwards, replies, reactions = minute.gains
    top = minute.top
    return ActivityWindow(
        channel_id=channel_id,
        observed_at_ms=minute.observed_at_ms,
        start_ms=minute.start_ms,
        views_gained=views,
        forwards_gained=forwards,
        replies_gained=replies,
        reactions_gained=reactions,
        posts=minute.posts,
        edits=minute.edits,
        deletes=minute.deletes,
        samples=minute.samples,
        closed=closed,
        views_pace=None if views is None else round(minute.views_pace, 3),
        sampled_from_ms=minute.sampled_from_ms,
        sampled_to_ms=minute.sampled_to_ms,
        top_post_id=None if top is None else top.post_id,
        top_views_gained=None if top is None else top.views_gained,
    )
