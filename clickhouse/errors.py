"""ClickHouse's errors in the words of the port."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.exceptions import ClickHouseError

from clickhouse.history import HistoryDamaged, HistoryError, HistoryUnavailable, QueryFailed

#: Waiting may cure these: timeouts, network, memory, disk, too many parts, unknown outcome.
PASSING = frozenset({3, 74, 75, 76, 159, 202, 209, 210, 241, 243, 252, 279, 319, 425, 999})
#: Of these, a question gets an answer by asking for less.
TOO_MUCH = frozenset({159, 241})
#: Under some codes that mean anything: no room on the disk, no descriptor left in this process.
_EXHAUSTED = ("No space left on device", "Too many open files")
#: What is stored cannot be read: cut off, wrong checksums, files that are gone.
DAMAGED = frozenset({32, 33, 40, 107, 117, 226, 228, 232, 246, 271, 432, 740})

_CODE = re.compile(r"\bCode: (\d+)|\bcode:? (\d+)", re.IGNORECASE)


def code_of(error: BaseException) -> int | None:
    """ClickHouse's number of an error; None where it never reached ClickHouse."""
    match = _CODE.search(str(error))
    return int(match[1] or match[2]) if match else None


@contextmanager
def writing(table: str) -> Iterator[None]:
    """Raise HistoryUnavailable where a repetition may help, HistoryError where it cannot."""
    try:
        yield
    except (ClickHouseError, OSError) as error:
        if _passes(error, PASSING):
            raise HistoryUnavailable(f"{table}: {brief(error)}") from error
        raise HistoryError(f"{table}: {brief(error)}") from error


@contextmanager
def asking(query: str) -> Iterator[None]:
    """Raise QueryFailed where the question is at fault, HistoryDamaged where what is stored is,
    HistoryUnavailable otherwise."""
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
    """The first line, without what the engine repeats around it."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
