"""The history port: idempotent inserts and parametrised questions.

Adapters: `clickhouse.chdb` (ClickHouse's engine in process) and `clickhouse.server`. Both share
every line of SQL. tests/laws/history.py holds them to this.

    HistoryError
    ├── HistoryUnavailable    cannot be reached now; try again later
    ├── HistoryInUse          another process holds the folder (its pid, where known)
    ├── HistoryDamaged        what is stored is not what was: waiting does not help
    └── QueryFailed           the question itself was refused, too long, or too large
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec


class HistoryError(Exception): ...


class HistoryUnavailable(HistoryError): ...


class HistoryInUse(HistoryError): ...


class HistoryDamaged(HistoryError): ...


class QueryFailed(HistoryError): ...


class Insert(msgspec.Struct, frozen=True):
    """Rows for one table, as columns. The same token twice stores the rows once."""

    table: str
    token: str
    columns: Mapping[str, Sequence[Any]]


class Answer(msgspec.Struct, frozen=True):
    """Rows of a question, as columns by name."""

    columns: Mapping[str, Sequence[Any]]

    @property
    def rows(self) -> list[dict[str, Any]]:
        names = list(self.columns)
        return [
            dict(zip(names, row, strict=True)) for row in zip(*self.columns.values(), strict=True)
        ]


class History(Protocol):
    async def migrate(self) -> Sequence[str]:
        """Bring the schema up to date; returns the names of the migrations applied.

        Raises HistoryDamaged where a table is not there any more.
        """

    async def insert(self, insert: Insert) -> None:
        """Durable when it returns; safe to repeat with the same token."""

    async def ask(self, query: str, parameters: Mapping[str, Any]) -> Answer:
        """Run clickhouse/queries/<query>.sql.

        Raises QueryFailed, HistoryDamaged, HistoryUnavailable.
        """

    async def damage(self) -> Sequence[str]:
        """What is known to be damaged or gone, a line each that says what to do. Cheap.

        Raises HistoryUnavailable.
        """

    async def close(self) -> None: ...
