"""The port of history: idempotent inserts and parametrised queries.

Adapters: `clickhouse.chdb` (ClickHouse's engine in the process) and `clickhouse.server`. They share
all SQL; tests/laws/history.py tests both.

    HistoryError
    ├── HistoryUnavailable    unreachable now: retry with growing pauses
    ├── HistoryInUse          another process has the folder open (names its pid, if known)
    ├── HistoryDamaged        stored data is missing or unreadable: retrying does not help
    └── QueryFailed           the query is invalid, or exceeds a limit of time or size
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
    """Rows of one table, as columns of equal length. Repeating a token stores its rows once."""

    table: str
    token: str
    columns: Mapping[str, Sequence[Any]]


class Answer(msgspec.Struct, frozen=True):
    """The result of a query, as columns by name."""

    columns: Mapping[str, Sequence[Any]]

    @property
    def rows(self) -> list[dict[str, Any]]:
        names = list(self.columns)
        return [
            dict(zip(names, row, strict=True)) for row in zip(*self.columns.values(), strict=True)
        ]


class History(Protocol):
    """Called by the history writer, readers (REST, bot) and rebuilds, also concurrently."""

    async def migrate(self) -> Sequence[str]:
        """Bring the schema up to date; returns the names of the migrations applied.

        Raises HistoryDamaged if a table is missing, HistoryUnavailable.
        """

    async def insert(self, insert: Insert) -> None:
        """Store the rows durably before returning. Safe to retry with the same token.

        Raises HistoryUnavailable (retry: the rows may or may not be stored), HistoryDamaged,
        HistoryError.
        """

    async def ask(self, query: str, parameters: Mapping[str, Any]) -> Answer:
        """Run clickhouse/queries/<query>.sql with typed parameters.

        Raises QueryFailed, HistoryDamaged, HistoryUnavailable.
        """

    async def damage(self) -> Sequence[str]:
        """Known damage, one line each with its remedy. Cheap: health checks call it.

        Raises HistoryUnavailable.
        """

    async def close(self) -> None: ...
