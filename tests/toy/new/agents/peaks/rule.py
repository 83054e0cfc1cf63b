"""A peak: a closed minute in which a channel gained more views than in any before it."""

from collections.abc import Sequence

from agents.engine.step_context import StepContext
from agents.peaks.row import Highest
from streams.analytics import ActivityWindow
from streams.analytics import Decision as Message
from streams.ids import ChannelId


class Peak(Message, frozen=True, kw_only=True, tag="peaks.peak"):
    """A minute that gained more than all before it."""

    start_ms: int
    views_gained: int


def put_peak(row: Highest, window: ActivityWindow, context: StepContext) -> Sequence[Peak]:
    """Fold a window into the row, in place; send the peak when the window is one."""
    if context.offset <= row.last_offset:
        return [_peak(row, window.channel_id)] if row.start_ms >= 0 else []
    row.last_offset = context.offset
    gained = window.views_gained
    if not window.closed or gained is None or gained <= row.views_gained:
        return []
    row.views_gained, row.start_ms = gained, window.start_ms
    row.observed_at_ms = window.observed_at_ms
    return [_peak(row, window.channel_id)]


def _peak(row: Highest, channel_id: ChannelId) -> Peak:
    return Peak(
        channel_id=channel_id,
        observed_at_ms=row.observed_at_ms,
        start_ms=row.start_ms,
        views_gained=row.views_gained,
    )
