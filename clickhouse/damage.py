"""Tables with missing or unreadable data: logged once per table, and listed on request.

Missing data is only reported: the rest of the table is still valid. A query of a table with
unreadable data is refused: the engine searches for the flipped bit in a block with a wrong
checksum, which takes up to half a minute for every query that reads the block.
"""

import logging
from collections.abc import Sequence
from threading import Lock

from clickhouse.history import HistoryDamaged
from clickhouse.statements import tables_of

_logger = logging.getLogger(__name__)

REMEDY = "`analyticbot doctor` says how much it is, `analyticbot rebuild history` fills it again"


class Damage:
    """The known damage of one history. Called from any thread; never waits for the engine."""

    def __init__(self) -> None:
        self._gone: dict[str, str] = {}
        self._unreadable: dict[str, str] = {}
        self._lock = Lock()

    def refuse(self, query: str) -> None:
        """Raises HistoryDamaged if the query reads a table with unreadable data.

        Called before each query.
        """
        for name in (query, *tables_of(query)):
            if name in self._unreadable:
                raise HistoryDamaged(f"table {name} of history is damaged: {REMEDY}")

    def cannot_read(self, table: str, how: str) -> None:
        """Record unreadable data. If the table is unknown, `table` is the name of the query."""
        self._note(self._unreadable, table, how)

    def is_gone(self, table: str, how: str) -> None:
        self._note(self._gone, table, how)

    def lines(self) -> Sequence[str]:
        found = [*self._gone.items(), *self._unreadable.items()]
        return [f"table {table} is damaged: {how}: {REMEDY}" for table, how in found]

    def _note(self, known: dict[str, str], table: str, how: str) -> None:
        with self._lock:
            if table in known:
                return
            known[table] = how
        _logger.error("history_damaged", extra={"table": table, "reason": how, "remedy": REMEDY})
