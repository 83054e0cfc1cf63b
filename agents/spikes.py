"""Alerts when a channel gains far more views in a minute than it did lately.

A simple rule (tables.spikes) that a model is to replace. It fails where the level changes with the
hour: the median of the last hour lags behind a busy morning.
"""

from collections.abc import Sequence

from streams.analytics import ActivityWindow, Alert
from streams.ids import ChannelId
from tables.spikes import KEPT_MINUTES, LEAST, RAISE_FACTOR, Spikes

METHOD = (
    f"views gained in a minute reached {RAISE_FACTOR} times the median of the last "
    f"{KEPT_MINUTES} closed minutes, and at least {LEAST}"
)


def put_spikes(state: Spikes, window: ActivityWindow, offset: int) -> Sequence[Alert]:
    """Fold a window into the channel's row, in place, and give the alert when it changed.

    A message that is in the row already gives the alert as it stands now.
    """
    if offset <= state.last_offset:
        return [_alert(state, window.channel_id)] if state.spike is not None else []
    state.last_offset = offset
    views = window.views_gained
    if views is None:
        return []
    changed = state.see(window.start_ms, views, window.observed_at_ms)
    if window.closed:
        changed = state.close(window.start_ms, views) or changed
    return [_alert(state, window.channel_id)] if changed else []


def _alert(state: Spikes, channel_id: ChannelId) -> Alert:
    spike = state.spike
    assert spike is not None
    name = "updated" if spike.updated else "raised"
    return Alert(
        channel_id=channel_id,
        observed_at_ms=spike.observed_at_ms,
        alert_id=f"{channel_id}/spike/{spike.start_ms}",
        type="spike",
        state=name if spike.resolved_at_ms is None else "resolved",
        raised_at_ms=spike.raised_at_ms,
        resolved_at_ms=spike.resolved_at_ms,
        observed=float(spike.observed),
        expected=spike.expected,
        method=METHOD,
    )
