"""Tables of which something is gone or cannot be read: told once each, in the log and on request.

What is gone is only told: the rest is as good as it was. What cannot be read is refused: the engine
looks for the flipped bit in a block whose checksum is wrong, which takes it up to half a minute
for every question that meets the block. So nothing that touches such a table is asked again.
"""

import logging
from collections.abc import Sequence
from threading import Lock

from clickhouse.history import HistoryDamaged
from clickhouse.statements import tables_of

_logger = logging.getLogger(__name__)

REMEDY = "`analyticbot doctor` says how much it is, `analyticbot rebuild history` fills it again"


class Damage:
    """What is known of one history. Called from any thread."""

    def __init__(self) -> None:
        self._gone: dict[str, str] = {}
        self._unreadable: dict[str, str] = {}
        self._lock = Lock()

    def refuse(self, query: str) -> None:
        """Raises HistoryDamaged where the question would meet what cannot be read."""
        for name in (query, *tables_of(query)):
            if name in self._unreadable:
                raise HistoryDamaged(f"table {name} of history is damaged: {REMEDY}")

    def cannot_read(self, table: str, how: str) -> None:
        """The name of a question stands for its tables where it is not known which it is."""
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
