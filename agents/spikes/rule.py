"""Alerts when a channel gains views far faster than it did lately.

A simple rule (agents.spikes.row) that a model is to replace. It is deaf after a gap in observation
until 20 minutes are closed again, and to posts that are sampled too seldom to be seen rising. It
fails where the level changes with the hour: the median of the last hour lags behind a busy morning;
and in a channel that is quiet between its posts, every new one may be a spike.
"""

from collections.abc import Sequence

from agents.spikes.row import KEPT_MINUTES, LEAST, NEEDED_MINUTES, RAISE_FACTOR, Spikes
from streams.analytics import ActivityWindow, Alert
from streams.ids import ChannelId

METHOD = (
    f"pace (views a minute; a gain over more than a minute counts by the share of one minute) "
    f"reached {RAISE_FACTOR} times the median of those of the last {KEPT_MINUTES} closed minutes "
    f"without a gap that rest on about as many samples, at least {NEEDED_MINUTES} of them, "
    f"and at least {LEAST}"
)


def put_spikes(state: Spikes, window: ActivityWindow, offset: int) -> Sequence[Alert]:
    """Fold a window into the channel's row, in place, and give the alert when it changed.

    A message that is in the row already gives the alert as it stands now.
    """
    if offset <= state.last_offset:
        return [_alert(state, window.channel_id)] if state.spike is not None else []
    state.last_offset = offset
    if window.views_pace is None:
        return []
    pace = (window.views_pace, window.samples)
    changed = state.see(window.start_ms, pace, window.observed_at_ms, window.top_post_id)
    if window.closed:
        changed = state.close(window.start_ms, pace) or changed
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
        post_id=spike.post_id,
        observed=spike.observed,
        expected=spike.expected,
        method=METHOD,
    )
