"""Rows collected as columns, per table, in the order of their arrival."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class Columns:
    """The columns of one table. `add` appends one row; `extend` appends columns of equal length."""

    def __init__(self, table: str, *names: str) -> None:
        self.table = table
        self.lists: tuple[list[Any], ...] = tuple([] for _ in names)
        self._names = names

    def add(self, *values: Any) -> None:
        for column, value in zip(self.lists, values, strict=True):
            column.append(value)

    def extend(self, *values: Iterable[Any]) -> None:
        for column, more in zip(self.lists, values, strict=True):
            column.extend(more)

    def __len__(self) -> int:
        return len(self.lists[0])

    @property
    def by_name(self) -> Mapping[str, Sequence[Any]]:
        return dict(zip(self._names, self.lists, strict=True))
