"""A record: a closed minute in which a channel gained more views than in any minute before.

The first known minute is a record. Windows in which nothing was measured are not known, and count
for nothing.
"""

from collections.abc import Sequence

from analyticbot.decisions import ChannelId, Message, StepContext, analytics
from analyticbot_records.row import Best


class Record(Message, frozen=True, kw_only=True, tag="records.record"):
    """The best minute of a channel so far: [start_ms, start_ms + 60 000)."""

    start_ms: int
    views_gained: int


def put_record(
    row: Best, window: analytics.ActivityWindow, context: StepContext
) -> Sequence[Record]:
    """Fold a window into the row, in place; send the record when the window set one.

    A message that is in the row already sends the record as it stands.
    """
    if context.offset <= row.last_offset:
        return [_record(row, window.channel_id)] if row.start_ms >= 0 else []
    row.last_offset = context.offset
    if not window.closed or window.views_gained is None or window.views_gained <= row.views_gained:
        return []
    row.views_gained = window.views_gained
    row.start_ms, row.observed_at_ms = window.start_ms, window.observed_at_ms
    return [_record(row, window.channel_id)]


def _record(row: Best, channel_id: ChannelId) -> Record:
    return Record(
        channel_id=channel_id,
        observed_at_ms=row.observed_at_ms,
        start_ms=row.start_ms,
        views_gained=row.views_gained,
    )
