"""Rows in front of a table: written once per batch, whatever happens to them within it."""

from collections.abc import Iterable, Mapping

import pytest

from agents.engine.cache import RowCache
from streams.context import Task
from tables.rows import Row, RowDecoder


class Count(Row):
    messages: int = 0


class Table:
    """One table, and what was written to it. Implements streams.context.ProcessorContext."""

    def __init__(self) -> None:
        self.stored: dict[bytes, bytes] = {}
        self.changes: list[tuple[bytes, bytes | None, int]] = []

    def row(self, task: Task, table: str, key: bytes) -> bytes | None:
        return self.stored.get(key)

    def items(self, task: Task, table: str) -> Iterable[tuple[bytes, bytes]]:
        return self.stored.items()

    def put(
        self, task: Task, table: str, key: bytes, data: bytes | None, timestamp_ms: int
    ) -> None:
        self.changes.append((key, data, timestamp_ms))
        if data is None:
            del self.stored[key]
        else:
            self.stored[key] = data

    def send(
        self,
        task: Task,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int,
        headers: Mapping[str, bytes],
    ) -> None:
        raise AssertionError("rows send nothing")

    def tasks(self) -> int:
        return 1

    def rows(self) -> Mapping[str, int]:
        return {"counts": len(self.stored)}

    def size_bytes(self) -> int:
        return sum(map(len, self.stored.values()))


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def rows(table: Table) -> RowCache[Count]:
    """With room for one decoded row."""
    return RowCache(table, "counts", Count, 1)


def _count(rows: RowCache[Count], key: bytes, timestamp_ms: int) -> None:
    row = rows.get(0, key)
    row.messages += 1
    rows.put(0, key, row, timestamp_ms)


def _messages(table: Table, key: bytes) -> int:
    return RowDecoder(Count)(table.stored[key]).messages


def test_a_row_is_written_once_per_batch_at_its_last_message(
    table: Table, rows: RowCache[Count]
) -> None:
    for timestamp_ms in (1, 2, 3):
        _count(rows, b"a", timestamp_ms)
    assert table.changes == []
    rows.write()
    assert [(key, at_ms) for key, _, at_ms in table.changes] == [(b"a", 3)]
    rows.write()
    assert len(table.changes) == 1
    _count(rows, b"a", 4)
    rows.write()
    assert _messages(table, b"a") == 4


def test_a_row_that_the_cache_forgets_within_a_batch_keeps_what_was_folded(
    table: Table, rows: RowCache[Count]
) -> None:
    for key in (b"a", b"b", b"c", b"a", b"b"):
        _count(rows, key, 1)
    rows.write()
    assert [_messages(table, key) for key in (b"a", b"b", b"c")] == [2, 2, 1]


def test_a_row_that_is_dropped_within_a_batch_is_not_written(
    table: Table, rows: RowCache[Count]
) -> None:
    _count(rows, b"new", 1)
    rows.drop(0, b"new", 2)
    rows.write()
    assert table.changes == []
    _count(rows, b"old", 3)
    rows.write()
    _count(rows, b"old", 4)
    rows.drop(0, b"old", 5)
    rows.write()
    assert table.changes[-1] == (b"old", None, 5)
    _count(rows, b"old", 6)
    rows.write()
    assert _messages(table, b"old") == 1


def test_nothing_of_tasks_that_have_changed_is_written(table: Table, rows: RowCache[Count]) -> None:
    _count(rows, b"a", 1)
    rows.forget()
    rows.write()
    assert table.changes == []
    assert rows.get(0, b"a").messages == 0


def test_all_rows_are_those_that_were_put_as_well(table: Table, rows: RowCache[Count]) -> None:
    _count(rows, b"a", 1)
    rows.put(0, b"b", Count(messages=7), 1)
    assert {key: row.messages for key, row in rows.items(0)} == {b"a": 1, b"b": 7}


def test_another_row_that_is_put_replaces_the_decoded_one(
    table: Table, rows: RowCache[Count]
) -> None:
    _count(rows, b"a", 1)
    rows.put(0, b"a", Count(messages=7), 2)
    assert rows.get(0, b"a").messages == 7
    rows.write()
    assert _messages(table, b"a") == 7
    assert rows.get(0, b"a").messages == 7
