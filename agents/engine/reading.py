"""Reads the messages of analytics.*; decodes only kinds that some decision takes."""

from typing import Any

from agents.engine.ports import Ports
from agents.engine.reasons import Rejected, dead_reason
from streams.codec import Selection, Undecodable, UnknownKind
from streams.context import Task
from streams.log import Record


class AnalyticsReader:
    """Implements Reader. Skips other kinds by their first bytes: they are most messages."""

    def __init__(self, ports: Ports, wanted: frozenset[type]) -> None:
        self._decode = Selection[Any](*wanted, kinds=ports.kinds).decode

    def read(self, _task: Task, record: Record) -> Any:
        """Raises Rejected."""
        try:
            return self._decode(record.value or b"")
        except UnknownKind:
            # A newer version wrote it: no decision of this version takes it.
            return None
        except Undecodable as error:
            raise Rejected(dead_reason(error.reason), str(error)) from error
