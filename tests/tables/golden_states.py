"""Kept states of tables: rows as a released version stored them, a file per table and layout."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from agents.engine.fills import TABLE as FILLS
from agents.engine.ports import Table
from agents.pipeline import plan
from tables.rows import Row, layout_of

FOLDER = Path(__file__).parent / "golden"
WRITE = ".venv/bin/python -m tests.tables.golden.write"
TABLES: Mapping[str, Table] = {
    table.name: table for table in (*(t for d in plan().decisions for t in d.tables), FILLS)
}


class State(msgspec.Struct, frozen=True):
    table: str
    layout: int
    #: The fields of the row, and of each struct in it by its path, in the order stored.
    fields: Mapping[str, Sequence[str]]
    #: Key and value of each row, in hexadecimal.
    rows: Sequence[tuple[str, str]]

    @property
    def stored(self) -> Iterator[tuple[bytes, bytes]]:
        return ((bytes.fromhex(key), bytes.fromhex(value)) for key, value in self.rows)


def path_of(table: str, layout: int) -> Path:
    return FOLDER / f"{table}_v{layout}.json"


def states() -> list[State]:
    """All that are kept."""
    return [
        msgspec.json.decode(path.read_bytes(), type=State) for path in sorted(FOLDER.glob("*.json"))
    ]


def missing() -> list[Table]:
    """Tables whose present layout has no kept state."""
    return [t for t in TABLES.values() if not path_of(t.name, layout_of(t.row)).exists()]


def fields_of(row: type[Row]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    _walk(inspect.type_info(row), "", found)
    return found


def _walk(type_: Any, path: str, found: dict[str, list[str]]) -> None:
    match type_:
        case inspect.StructType(fields=fields):
            found[path] = [field.name for field in fields]
            for field in fields:
                _walk(field.type, f"{path}.{field.name}", found)
        case inspect.ListType(item_type=inner) | inspect.SetType(item_type=inner):
            _walk(inner, f"{path}[]", found)
        case inspect.VarTupleType(item_type=inner):
            _walk(inner, f"{path}[]", found)
        case inspect.TupleType(item_types=inners) | inspect.UnionType(types=inners):
            for number, inner in enumerate(inners):
                _walk(inner, f"{path}[{number}]", found)
        case inspect.DictType(key_type=key, value_type=value):
            _walk(key, f"{path}[key]", found)
            _walk(value, f"{path}[value]", found)
        case _:
            pass
