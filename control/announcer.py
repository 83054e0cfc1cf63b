"""Tells running processes what an operator changed: the writer of the topic control.changes.

A message says what kind of thing changed and when, not how: who reads it asks the store again.
It is keyed by kind and compacted, so the topic holds one message a kind.
"""

from typing import Literal, get_args

import msgspec

from streams.events import VERSION
from streams.log import Draft, Log
from streams.topics import CONTROL

Kind = Literal["channels"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The control store has something new of this kind."""

    v: int = VERSION
    kind: Kind
    at_ms: int


async def announce(log: Log, change: Change) -> None:
    """Returns when the change is in the log. Call it after the store has it."""
    value = msgspec.msgpack.encode(change)
    await log.append([Draft(CONTROL.name, change.kind.encode(), value, change.at_ms)])
