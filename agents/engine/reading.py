"""Reads the messages of analytics.*: only kinds that some decision takes are decoded."""

from typing import Any

from agents.engine.ports import Ports
from agents.engine.reasons import Rejected, dead_reason
from streams.codec import Selection, Undecodable, UnknownKind
from streams.context import Task
from streams.log import Record


class AnalyticsReader:
    """Implements Reader. Most messages are of kinds that nobody takes: their first bytes tell."""

    def __init__(self, ports: Ports, wanted: frozenset[type]) -> None:
        self._decode = Selection[Any](*wanted, kinds=ports.kinds).decode

    def read(self, _task: Task, record: Record) -> Any:
        """Raises Rejected."""
        try:
            return self._decode(record.value or b"")
        except UnknownKind:
            # A newer version wrote it: nothing that a decision of this one takes.
            return None
        except Undecodable as error:
            raise Rejected(dead_reason(error.reason), str(error)) from error
