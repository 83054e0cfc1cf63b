"""What a package imports to add a decision of its own: this module is the whole contract.

A package names a Decision in the entry point group `analyticbot.decisions`:

    [project.entry-points."analyticbot.decisions"]
    records = "analyticbot_records.agent:RECORDS"

Whatever is named here keeps its meaning from one minor version to the next, and so do the structs
of `analytics` and `events`, whose fields are only ever added. Everything else may change.
docs/EXTENDING.md is the guide, examples/records a package that the tests install and run.

| name | what it is |
|---|---|
| Decision | the declaration: what is taken, kept and sent, and the steps between |
| Table, Row | a table of rows, and what every row says; `Row` explains how layouts change |
| JoinedRow | a row that is fed by several topics |
| OneRow | the handler of a decision with one row per channel and one pure step over it |
| StepContext | what a step is given beside its row and its message: offset, settings, timers |
| Setting | what operators can set of the decision |
| Timer | what fires: `on_time` is given it |
| Message | the base of a kind of message that the decision sends |
| Kind | the declaration of such a kind |
| KeptWhole, NotKept | what history does with its messages |
| NotShown | why the live socket does not show them (`live="channel"` shows the newest) |
| Topic, topics | a topic of the decision's own, and those that there are |
| analytics, events | the kinds of message that there are: what is decided, what is observed |
| ChannelId, PostId | the types of ids |
"""

from agents.engine.decision import Decision
from agents.engine.one_row import OneRow
from agents.engine.ports import Table
from agents.engine.setting import Setting
from agents.engine.step_context import StepContext
from streams import analytics, events, topics
from streams.analytics import Decision as Message
from streams.ids import ChannelId, PostId
from streams.kind import KeptWhole, Kind, NotKept, NotShown
from streams.topics import Topic
from tables.rows import JoinedRow, Row
from tables.timers import Timer

__all__ = [
    "ChannelId",
    "Decision",
    "JoinedRow",
    "KeptWhole",
    "Kind",
    "Message",
    "NotKept",
    "NotShown",
    "OneRow",
    "PostId",
    "Row",
    "Setting",
    "StepContext",
    "Table",
    "Timer",
    "Topic",
    "analytics",
    "events",
    "topics",
]
