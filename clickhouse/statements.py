"""The SQL shipped with the package: queries by name, migrations in order."""

import functools
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from string import Template

import msgspec

#: Roll-ups that share one query template, and their time columns.
ROLLED: Mapping[str, str] = {"hourly": "hour", "daily": "day"}

_MADE = re.compile(
    r"CREATE (?:OR REPLACE )?(?:TABLE|(?:MATERIALIZED )?VIEW)(?: IF NOT EXISTS)? (\w+)"
)
_COMMENT = re.compile(r"--.*")
_DROPPED = re.compile(r"DROP (?:TABLE|VIEW) IF EXISTS (\w+)")


class Migration(msgspec.Struct, frozen=True):
    name: str
    statements: Sequence[str]


@functools.cache
def query(name: str) -> str:
    """The text of clickhouse/queries/<name>.sql. Raises FileNotFoundError.

    Without such a file, <stem>_hourly and <stem>_daily come from the template <stem>_rolled.sql.
    """
    folder = resources.files("clickhouse") / "queries"
    file, (stem, _, rolled) = folder / f"{name}.sql", name.rpartition("_")
    if rolled not in ROLLED or file.is_file():
        return file.read_text()
    step = ROLLED[rolled]
    template = Template((folder / f"{stem}_rolled.sql").read_text())
    return template.substitute(rolled=rolled, step=step, Step=step.capitalize())


@functools.cache
def migrations() -> Sequence[Migration]:
    """All migrations, in the order of their numbers."""
    files = (resources.files("clickhouse") / "migrations").iterdir()
    named = sorted((file.name, file) for file in files if file.name.endswith(".sql"))
    return [Migration(name.removesuffix(".sql"), split(file.read_text())) for name, file in named]


def split(script: str) -> Sequence[str]:
    """Split a script into statements; each ends with a semicolon at the end of a line."""
    return [part.strip() for part in f"{script}\n".split(";\n") if part.strip()]


@functools.cache
def made() -> Mapping[str, str]:
    """The tables and views that exist after all migrations, with their CREATE statements."""
    made: dict[str, str] = {}
    for migration in migrations():
        for statement in migration.statements:
            if found := _MADE.search(statement):
                made[found[1]] = statement
            for gone in _DROPPED.findall(statement):
                made.pop(gone, None)
    return made


@functools.cache
def filling_views() -> Sequence[str]:
    """Names of the materialized views, which fill one table from insertions into another."""
    return [name for name, statement in made().items() if "MATERIALIZED VIEW" in statement]


@functools.cache
def tables_of(name: str) -> frozenset[str]:
    """The tables and views that a query reads, directly or through views."""
    return _named(query(name))


def _named(text: str) -> frozenset[str]:
    words = {word for word in re.findall(r"\w+", _COMMENT.sub("", text)) if word in made()}
    for word in list(words):
        if " VIEW " in made()[word]:
            words |= _named(made()[word].partition(" AS\n")[2])
    return frozenset(words)
