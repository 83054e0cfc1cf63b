"""A decision with timers, for tests: says when a channel was silent, and counts its hours.

An alert is raised when no minute with a view gained was seen for an hour, and resolved by the next
one. A second timer counts the hours from the first window on, a day long.
"""

from collections.abc import Sequence

from agents.engine.decision import Decision
from agents.engine.one_row import OneRow
from agents.engine.ports import Table
from agents.engine.step_context import StepContext
from streams.analytics import ActivityWindow, Alert
from streams.ids import ChannelId
from streams.topics import ALERTS, WINDOWS
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS
from tables.rows import Row
from tables.timers import Timer

#: What is decided within so much of event time may still come in.
LATENESS_MS = 2 * MINUTE_MS
SETTLED_MS = 50


class Quiet(Row, array_like=True, gc=False):
    since_ms: int = -1
    first_ms: int = -1
    hours: int = 0
    silences: int = 0
    silent: bool = False


def put_quiet(row: Quiet, window: ActivityWindow, context: StepContext) -> Sequence[Alert]:
    if context.offset <= row.last_offset:
        return [_alert(row, window.channel_id)] if row.silences else []
    row.last_offset = context.offset
    if row.first_ms < 0:
        row.first_ms = window.start_ms
        context.set_timer(window.start_ms + HOUR_MS, "hours")
    if not window.views_gained or window.start_ms < row.since_ms:
        return []
    was_silent, row.silent, row.since_ms = row.silent, False, window.start_ms
    context.set_timer(window.start_ms + HOUR_MS, "silence")
    return [_alert(row, window.channel_id)] if was_silent else []


def put_time(row: Quiet, timer: Timer, context: StepContext) -> Sequence[Alert]:
    if timer.name == "hours":
        row.hours += 1
        if timer.due_ms < row.first_ms + DAY_MS:
            context.set_timer(timer.due_ms + HOUR_MS, "hours")
        return []
    row.silent = True
    row.silences += 1
    return [_alert(row, ChannelId(int(timer.key)))]


def _alert(row: Quiet, channel_id: ChannelId) -> Alert:
    return Alert(
        channel_id=channel_id,
        observed_at_ms=row.since_ms,
        alert_id=f"{channel_id}/quiet/{row.silences}",
        type="quiet",
        state="raised" if row.silent else "resolved",
        raised_at_ms=row.since_ms,
        resolved_at_ms=None,
        observed=0,
        expected=1,
        method="a test",
    )


QUIET = Decision(
    name="quiet",
    reads=(WINDOWS,),
    kinds=(ActivityWindow,),
    steps=(put_quiet,),
    tables=(Table("quiet", Quiet),),
    sends=(ALERTS,),
    handler=OneRow,
    on_time=put_time,
    lateness_ms=LATENESS_MS,
    # Tests do not wait.
    settled_ms=SETTLED_MS,
)
