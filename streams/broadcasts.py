"""Broadcasts: messages of the engine to all keys of a partition, among the messages of an input.

They make time and settings inputs like all others: their offsets are fixed, so a replay, another
worker or a decision that is filled later sees them between the same messages. The owner of a
partition appends them to it, and forwards them to the topics that follow. Only the engine reads
them: history, taps, the live socket and the bot skip them.
"""

from typing import get_args

import msgspec

from streams.ids import ChannelId

#: The version that this code writes, as in streams.events.
VERSION = 1


class Tick(msgspec.Struct, frozen=True, tag_field="kind", tag="tick", kw_only=True):
    """It is at least `at_ms` (Unix milliseconds): timers up to there are due.

    A later tick may have an earlier time, after a partition was reassigned: it has no effect.
    """

    v: int = VERSION
    at_ms: int


#: The types of values of settings.
Value = bool | int | float | str


class SettingChanged(msgspec.Struct, frozen=True, tag_field="kind", tag="setting", kw_only=True):
    """An operator set or unset a setting of decisions, for all channels or for one.

    Of two with the same name and channel the higher version wins, in whatever order they arrive.
    Also the message of control.changes from which the owners of partitions learn of it.
    """

    v: int = VERSION
    at_ms: int
    name: str
    channel_id: ChannelId | None = None
    #: None: unset, so the value for all channels or the default applies.
    value: Value | None = None
    version: int


Broadcast = Tick | SettingChanged
BROADCASTS: frozenset[type] = frozenset(get_args(Broadcast))
