"""The SQL that ships with the package: queries by name, migrations in order."""

import functools
from collections.abc import Sequence
from importlib import resources

import msgspec


class Migration(msgspec.Struct, frozen=True):
    name: str
    statements: Sequence[str]


@functools.cache
def query(name: str) -> str:
    """The text of clickhouse/queries/<name>.sql. Raises FileNotFoundError."""
    return (resources.files("clickhouse") / "queries" / f"{name}.sql").read_text()


@functools.cache
def migrations() -> Sequence[Migration]:
    """All migrations, in the order of their numbers."""
    files = (resources.files("clickhouse") / "migrations").iterdir()
    named = sorted((file.name, file) for file in files if file.name.endswith(".sql"))
    return [Migration(name.removesuffix(".sql"), split(file.read_text())) for name, file in named]


def split(script: str) -> Sequence[str]:
    """Statements end with a semicolon at the end of a line."""
    return [part.strip() for part in f"{script}\n".split(";\n") if part.strip()]
