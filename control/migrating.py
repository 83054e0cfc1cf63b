"""Brings a database to the newest schema: the numbered files in `schema/`, each applied once.

A file is never changed after a release; a change is the next number. Plain SQL that SQLite and
PostgreSQL both read; statements end with a semicolon at the end of a line.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from control.store import ControlError

MIGRATIONS = Table(
    "migrations",
    MetaData(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
)

#: One migration at a time, over all processes of a cluster. Any number; never change it.
_POSTGRES_LOCK = 4_203_188_114


class Migration(NamedTuple):
    number: int
    name: str
    statements: Sequence[str]


def read_migrations() -> Sequence[Migration]:
    """All migrations of this program, in order."""
    found = (path for path in files("control").joinpath("schema").iterdir())
    return sorted(_read(path.name, path.read_text()) for path in found if path.name[0].isdigit())


async def migrate(connection: AsyncConnection) -> None:
    """Apply missing migrations, in the write transaction of `connection`.

    Raises ControlError if a newer program made the database.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})"))
    await connection.run_sync(MIGRATIONS.create, checkfirst=True)
    applied = set((await connection.execute(select(MIGRATIONS.c.number))).scalars())
    known = read_migrations()
    if newer := applied - {migration.number for migration in known}:
        raise ControlError(
            f"the control store was made by a newer version (migration {max(newer)}; this program"
            f" knows {known[-1].number}): start that version"
        )
    for migration in known:
        if migration.number not in applied:
            await _apply(connection, migration)


async def _apply(connection: AsyncConnection, migration: Migration) -> None:
    for statement in migration.statements:
        await connection.execute(text(statement))
    row = {"number": migration.number, "name": migration.name}
    await connection.execute(insert(MIGRATIONS), row)


def _read(file_name: str, content: str) -> Migration:
    number, _, name = file_name.removesuffix(".sql").partition("_")
    statements = [part.strip() for part in content.split(";\n")]
    return Migration(int(number), name, [part for part in statements if part])
