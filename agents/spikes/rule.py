"""Raises an alert when a channel gains views far faster than in its recent minutes.

A simple rule (agents.spikes.row), to be replaced by a model. After a gap in observation it detects
nothing until 20 minutes are closed; it never detects spikes in posts that are sampled too rarely.
It fails where the level changes with the hour, because the median of the last hour lags behind a
busy morning; and in a channel that is quiet between its posts, every new post may be a spike.
"""

from collections.abc import Sequence

from agents.engine.setting import Setting
from agents.engine.step_context import StepContext
from agents.spikes.row import KEPT_MINUTES, NEEDED_MINUTES, USUAL, Limits, Spikes
from streams.analytics import ActivityWindow, Alert
from streams.ids import ChannelId

FACTOR = Setting(
    name="spikes.factor",
    default=USUAL.factor,
    least=1.0,
    most=1000.0,
    about="A spike reaches N times the usual pace of the channel.",
)
LEAST = Setting(
    name="spikes.least",
    default=USUAL.least,
    least=1,
    most=1_000_000_000,
    about="A spike has at least N views per minute.",
)
CALM_MINUTES = Setting(
    name="spikes.calm_minutes",
    default=USUAL.calm_minutes,
    least=1,
    most=60,
    about="A spike is over after N closed minutes in a row below half of its threshold.",
)
SETTINGS = (FACTOR, LEAST, CALM_MINUTES)


def method(limits: Limits) -> str:
    """The rule in words, for the alert."""
    return (
        f"pace (views a minute; a gain over more than a minute counts by the share of one minute) "
        f"reached {limits.factor:g} times the median of those of the last {KEPT_MINUTES} closed "
        f"minutes without a gap that rest on about as many samples, at least {NEEDED_MINUTES} of "
        f"them, and at least {limits.least}"
    )


def put_spikes(state: Spikes, window: ActivityWindow, context: StepContext) -> Sequence[Alert]:
    """Fold a window into the channel's row in place. Returns the alert if it changed.

    Called once per message; never waits. A repeated message changes nothing, and returns the
    present alert.
    """
    if context.offset <= state.last_offset:
        again = state.spike is not None
        return [_alert(state, window.channel_id, _limits(context))] if again else []
    state.last_offset = context.offset
    if window.views_pace is None:
        return []
    pace, limits = (window.views_pace, window.samples), _limits(context)
    observed_at_ms, top = window.observed_at_ms, window.top_post_id
    changed = state.see(window.start_ms, pace, observed_at_ms, top, limits)
    if window.closed:
        changed = state.close(window.start_ms, pace, limits) or changed
    return [_alert(state, window.channel_id, limits)] if changed else []


def _limits(context: StepContext) -> Limits:
    setting = context.setting
    return Limits(setting(LEAST), setting(FACTOR), setting(CALM_MINUTES))


def _alert(state: Spikes, channel_id: ChannelId, limits: Limits) -> Alert:
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
        method=method(limits),
    )
