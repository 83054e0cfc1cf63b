"""What the engine says to every key of a partition: messages that lie among the others of an input.

They make time and settings inputs like all others: their place in the log is fixed, so a replay,
another worker or a decision that is filled later sees them before and after the same messages. The
owner of a partition appends them to it, and forwards them to the topics that follow. Only the
engine reads them: history, taps, the live socket and the bot skip them.
"""

from typing import get_args

import msgspec

from streams.ids import ChannelId

#: The version this code writes; that of streams.events.
VERSION = 1


class Tick(msgspec.Struct, frozen=True, tag_field="kind", tag="tick", kw_only=True):
    """It is at least `at_ms` (Unix milliseconds): timers up to there are due.

    A later tick may say an earlier time, when a partition changes its owner: that moves nothing.
    """

    v: int = VERSION
    at_ms: int


#: What an operator can set something to.
Value = bool | int | float | str


class SettingChanged(msgspec.Struct, frozen=True, tag_field="kind", tag="setting", kw_only=True):
    """An operator set something of decisions, for all channels or for one; or unset it.

    Of two with one name and channel the one with the higher version holds, in whatever order they
    come. Also the message of control.changes from which the owners of partitions learn of it.
    """

    v: int = VERSION
    at_ms: int
    name: str
    channel_id: ChannelId | None = None
    #: None: what holds for all channels, or the default.
    value: Value | None = None
    version: int


Broadcast = Tick | SettingChanged
BROADCASTS: frozenset[type] = frozenset(get_args(Broadcast))
