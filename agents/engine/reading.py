"""Reads the messages of analytics.*: only kinds that some decision takes are decoded."""

from typing import get_args

from agents.engine.ports import Ports
from agents.engine.reasons import Rejected, dead_reason
from streams.analytics import Analytics
from streams.codec import Undecodable, decode_analytics
from streams.driver.desk import Task
from streams.log import Record

#: How the codec's bytes begin: far enough to see the kind.
_HEAD = 32


class AnalyticsReader:
    """Implements Reader. Most messages are of kinds that nobody takes: their head tells."""

    def __init__(self, _ports: Ports, wanted: frozenset[type]) -> None:
        self._wanted = wanted
        self._others = tuple(_tag(kind) for kind in get_args(Analytics) if kind not in wanted)

    def read(self, _task: Task, record: Record) -> Analytics | None:
        """Raises Rejected."""
        data = record.value or b""
        head = data[:_HEAD]
        for other in self._others:
            if other in head:
                return None
        try:
            message = decode_analytics(data)
        except Undecodable as error:
            raise Rejected(dead_reason(error.reason), str(error)) from error
        return message if type(message) in self._wanted else None


def _tag(kind: type) -> bytes:
    """The kind's tag as a short string of msgpack."""
    config = kind.__struct_config__  # type: ignore[attr-defined]
    tag: bytes = config.tag.encode()
    return bytes([0xA0 | len(tag)]) + tag
