"""Decisions that are not keyed by channel: forwards their messages, under each key, to a topic.

Forwarding is a decision like any other, so its messages belong to the commit of their message and
are forwarded once. A repeated message (after the loss of a position, which commits prevent) is not
forwarded again, because a row per partition records how far it was forwarded.

KeyFailed    the key function of a decision raised
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from agents.engine.decision import Decision
from agents.engine.ports import Ports, Table
from agents.engine.reasons import Rejected, dead_reason
from streams.codec import Only, Undecodable, encode
from streams.context import Task
from streams.log import Record
from streams.topics import Topic
from tables.rows import Row

#: Of one key, in bytes. Use a fingerprint of longer keys, such as links.
KEY_BYTES = 1024
#: Keys of one message: each becomes a message on the repartition topic.
KEYS = 1000
#: No name of a decision that is declared has a dot.
_FORWARDING = ".key"


class KeyFailed(Exception):
    """A fault of the program, not of the message: it ends the process, like a step that raises."""


class Forwarded(Row):
    """How far a partition of an input has been forwarded."""


def forwarding(decision: Decision, topic: Topic) -> Decision:
    """The decision that forwards the messages of `decision` to its topic, named `NAME.key`."""
    assert decision.key is not None
    return Decision(
        name=f"{decision.name}{_FORWARDING}",
        reads=decision.reads,
        kinds=decision.kinds,
        steps=(decision.key,),
        tables=(Table(f"{decision.name}-forwarded", Forwarded),),
        sends=(topic,),
        handler=Forwarding,
        fill=decision.fill,
    )


def declared_by(name: str) -> str:
    """The name of the decision that was declared, of itself and of what forwards for it."""
    return name.removesuffix(_FORWARDING)


class Forwarding:
    """Implements Handler."""

    def __init__(self, decision: Decision, ports: Ports) -> None:
        self._name = decision.name
        [self._keys_of] = decision.steps
        [table], [topic] = decision.tables, decision.sends
        self._input = ports.topic.name
        self._rows = ports.rows[table.name]
        self._send = ports.sender(topic)
        self._bury = ports.bury
        self._metrics = ports.metrics

    def fold(self, task: Task, record: Record, message: Any) -> None:
        keys = self._keys(task, record, message)
        if not keys:
            return
        place = b"%b/%d" % (self._input.encode(), task)
        row: Forwarded = self._rows.get(task, place)
        if record.offset <= row.last_offset:
            self._metrics.dropped(self._name, "duplicate")
            return
        row.last_offset = record.offset
        self._rows.put(task, place, row, record.timestamp_ms)
        accepted = self._accepted(task, record, keys)
        value = encode(message)
        for key in accepted:
            self._send(task, key, value, record.timestamp_ms, dict(record.headers))
        self._metrics.sent(self._name, len(accepted))

    def measure(self, record: Record) -> None:
        """Implements Handler; measures nothing."""

    def _keys(self, task: Task, record: Record, message: Any) -> list[bytes]:
        """The distinct keys, in the order of the function's result. Raises KeyFailed."""
        try:
            keys = list(dict.fromkeys(self._keys_of(message)))
            if wrong := [key for key in keys if not isinstance(key, bytes)]:
                raise TypeError(f"{wrong[0]!r} is not bytes")  # noqa: TRY301 (reported like others)
        except Exception as error:
            place = f"{self._input}/{task} at offset {record.offset}"
            raise KeyFailed(
                f"{self._name}: {self._keys_of.__name__} failed on {place}: {error!r}"
            ) from error
        return keys

    def _accepted(self, task: Task, record: Record, keys: list[bytes]) -> list[bytes]:
        """Refused keys become one dead letter per message; the other keys are forwarded."""
        good = [key for key in keys if 0 < len(key) <= KEY_BYTES]
        refused = list(_refused(keys, good))
        if refused:
            reason = "; ".join(refused)
            added = {"decision": self._name.encode()}
            self._bury(task, record, record.value, "wrong_key", reason, added)
        return good[:KEYS]


def _refused(keys: list[bytes], good: list[bytes]) -> Iterable[str]:
    if b"" in keys:
        yield "a key is empty"
    if longest := max((len(key) for key in keys if len(key) > KEY_BYTES), default=0):
        yield f"a key has {longest} bytes, and {KEY_BYTES} at most are accepted"
    if len(good) > KEYS:
        yield f"it has {len(good)} keys, and the first {KEYS} are forwarded"


class KeyReader:
    """Implements Reader, for forwarded messages."""

    def __init__(self, ports: Ports, wanted: frozenset[type[msgspec.Struct]]) -> None:
        self._decode = Only[Any](*wanted, kinds=ports.kinds).decode

    def read(self, _task: Task, record: Record) -> Any:
        """None for a kind that the decision took at forwarding, but no longer takes.

        Raises Rejected.
        """
        try:
            return self._decode(record.value or b"")
        except Undecodable as error:
            raise Rejected(dead_reason(error.reason), str(error)) from error
