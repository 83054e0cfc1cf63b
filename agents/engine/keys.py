"""Keys of a decision's own: its messages go under each of them to a topic that it reads instead.

Forwarding is a decision as any other, so what it sends is in the commit of the message: each is
forwarded once. A message that is read again (its position was lost, which commits do not lose) is
not forwarded again, because a row says how far each partition has been.

KeyFailed    the function that a decision declares as its key has failed
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

#: Of one key. What is longer, a link say, is to be keyed by its fingerprint.
KEY_BYTES = 1024
#: Of one message: each of them is a message on the decision's topic.
KEYS = 1000
#: No name of a decision that is declared has a dot.
_FORWARDING = ".key"


class KeyFailed(Exception):
    """The program is wrong and not the message: it ends the process, as a step that raises does."""


class Forwarded(Row):
    """How far a partition of an input has been forwarded, which is all that a row says."""


def forwarding(decision: Decision, topic: Topic) -> Decision:
    """What forwards the messages of `decision` to its topic. It is named after the decision."""
    assert decision.key is not None
    return Decision(
        name=f"{decision.name}{_FORWARDING}",
        reads=decision.reads,
        kinds=decision.kinds,
        steps=(decision.key,),
        tables=(Table(f"{decision.name}-forwarded", Forwarded),),
        sends=(topic,),
        handler=Forwarding,
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
        """There is nothing to measure."""

    def _keys(self, task: Task, record: Record, message: Any) -> list[bytes]:
        """Each once, in the order in which they were named. Raises KeyFailed."""
        try:
            keys = list(dict.fromkeys(self._keys_of(message)))
            if wrong := [key for key in keys if not isinstance(key, bytes)]:
                raise TypeError(f"{wrong[0]!r} is not bytes")  # noqa: TRY301 (told as others are)
        except Exception as error:
            place = f"{self._input}/{task} at offset {record.offset}"
            raise KeyFailed(
                f"{self._name}: {self._keys_of.__name__} failed on {place}: {error!r}"
            ) from error
        return keys

    def _accepted(self, task: Task, record: Record, keys: list[bytes]) -> list[bytes]:
        """What is refused is a dead letter, once for a message; its other keys are forwarded."""
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
    """Implements Reader. What was forwarded is a message of a kind that the decision takes."""

    def __init__(self, ports: Ports, wanted: frozenset[type[msgspec.Struct]]) -> None:
        self._decode = Only[Any](*wanted, kinds=ports.kinds).decode

    def read(self, _task: Task, record: Record) -> Any:
        """None for a kind that the decision took when it was forwarded, and no longer does.

        Raises Rejected.
        """
        try:
            return self._decode(record.value or b"")
        except Undecodable as error:
            raise Rejected(dead_reason(error.reason), str(error)) from error
