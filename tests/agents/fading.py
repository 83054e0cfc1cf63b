"""A decision with a key and timers, for tests: says when a word was in no post for an hour."""

from collections.abc import Iterable, Sequence

from agents.engine.decision import Decision
from agents.engine.one_row import OneRow
from agents.engine.ports import Table
from agents.engine.step_context import StepContext
from streams.analytics import Alert
from streams.events import PostsSeen
from streams.ids import ChannelId
from streams.topics import ALERTS, UPDATES
from streams.units import HOUR_MS, MINUTE_MS
from tables.rows import Row
from tables.timers import Timer


class Seen(Row):
    last_ms: int = -1
    faded: int = 0


def words_of(message: PostsSeen) -> Iterable[bytes]:
    return [word.encode() for post in message.posts for word in post.text.split()]


def see(row: Seen, message: PostsSeen, context: StepContext) -> Sequence[Alert]:
    if context.offset > row.last_offset:
        row.last_offset = context.offset
        row.last_ms = max(row.last_ms, message.observed_at_ms)
        context.set_timer(row.last_ms + HOUR_MS)
    return []


def fade(row: Seen, timer: Timer, _context: StepContext) -> Sequence[Alert]:
    row.faded += 1
    return [
        Alert(
            channel_id=ChannelId(7),
            observed_at_ms=timer.due_ms,
            alert_id=f"faded/{timer.key.decode()}/{row.faded}",
            type="faded",
            state="raised",
            raised_at_ms=row.last_ms,
            observed=0,
            expected=None,
            method="",
        )
    ]


FADING = Decision(
    name="fading",
    reads=(UPDATES,),
    kinds=(PostsSeen,),
    steps=(see,),
    tables=(Table("fading", Seen),),
    sends=(ALERTS,),
    handler=OneRow,
    key=words_of,
    on_time=fade,
    lateness_ms=2 * MINUTE_MS,
)
