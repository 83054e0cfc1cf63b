"""A decision that is new: no installation has run it."""

from collections.abc import Sequence
from typing import get_args

from agents.engine.decision import Decision
from agents.engine.one_row import OneRow
from agents.engine.ports import Table
from agents.engine.step_context import StepContext
from streams.events import Event
from streams.topics import SCORES, UPDATES
from tables.rows import Row


class Count(Row):
    messages: int = 0


def count(row: Count, message: Event, context: StepContext) -> Sequence[object]:
    """Counts a message that comes twice twice: whether one does is what the tests ask."""
    row.messages += 1
    row.last_offset = context.offset
    return ()


#: Of all that is observed of a channel.
COUNTS = Decision(
    name="counts",
    reads=(UPDATES,),
    kinds=get_args(Event),
    steps=(count,),
    tables=(Table("counts", Count),),
    sends=(SCORES,),
    handler=OneRow,
)
