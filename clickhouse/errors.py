"""Maps ClickHouse's errors to the errors of the port (clickhouse.history)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.exceptions import ClickHouseError

from clickhouse.history import HistoryDamaged, HistoryError, HistoryUnavailable, QueryFailed

#: Transient errors: timeouts, network, memory, disk, too many parts, unknown outcome.
PASSING = frozenset({3, 74, 75, 76, 159, 202, 209, 210, 241, 243, 252, 279, 319, 425, 999})
#: Of the transient errors, those that a query avoids only by reading less.
TOO_MUCH = frozenset({159, 241})
#: Transient errors under unspecific codes: a full disk, no file descriptor left in this process.
_EXHAUSTED = ("No space left on device", "Too many open files")
#: Stored data is unreadable: truncated files, wrong checksums, missing files.
DAMAGED = frozenset({32, 33, 40, 107, 117, 226, 228, 232, 246, 271, 432, 740})

_CODE = re.compile(r"\bCode: (\d+)|\bcode:? (\d+)", re.IGNORECASE)


def code_of(error: BaseException) -> int | None:
    """ClickHouse's code of an error; None if the error did not come from ClickHouse."""
    match = _CODE.search(str(error))
    return int(match[1] or match[2]) if match else None


@contextmanager
def writing(table: str) -> Iterator[None]:
    """Raises HistoryUnavailable if a retry may help, HistoryError if it cannot."""
    try:
        yield
    except (ClickHouseError, OSError) as error:
        if _passes(error, PASSING):
            raise HistoryUnavailable(f"{table}: {brief(error)}") from error
        raise HistoryError(f"{table}: {brief(error)}") from error


@contextmanager
def asking(query: str) -> Iterator[None]:
    """Raises HistoryUnavailable if a retry may help, HistoryDamaged if stored data is unreadable,
    QueryFailed otherwise.
    """
    try:
        yield
    except (ClickHouseError, OSError) as error:
        if _passes(error, PASSING - TOO_MUCH):
            raise HistoryUnavailable(f"{query}: {brief(error)}") from error
        if code_of(error) in DAMAGED:
            raise HistoryDamaged(f"{query}: {brief(error)}") from error
        raise QueryFailed(f"{query}: {brief(error)}") from error


def _passes(error: BaseException, passing: frozenset[int]) -> bool:
    code = code_of(error)
    return code is None or code in passing or any(said in str(error) for said in _EXHAUSTED)


def brief(error: BaseException) -> str:
    """The first line of an error, at most 300 characters."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
