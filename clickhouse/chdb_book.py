"""What a history folder of chDB held when it was last looked at, kept in a file of the folder.

The engine says nothing of what is missing: it makes anew a database whose description is gone, and
leaves out tables and parts that it does not find or cannot read. This file knows better. It may
be older than the folder; whatever it says must still be true then.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from clickhouse.history import HistoryDamaged
from clickhouse.parts import Part, lost, on_disk

_STORE = re.compile(r"/store/\w{3}/([0-9a-f-]{36})/")
_UUID = re.compile(rb"\bUUID '([0-9a-f-]{36})'")


class Book(msgspec.Struct):
    #: The tables and views, with the size of the engine's description of each, in bytes.
    tables: dict[str, int] = {}
    #: The parts in use.
    parts: list[Part] = []
    #: What was found to be gone, ever; no merge makes it whole.
    gone: list[Part] = []
    #: Names of parts that the engine had put aside as broken, by table, when that was looked at.
    broken: list[tuple[str, str]] = []


class Folder:
    """The folder of a history, before and beside the engine. Nothing here changes what is in it
    but `keep`, which writes the book."""

    def __init__(self, path: Path, database: str) -> None:
        self.path = path
        self._database = database
        self.book_file = path / f"{database}.book.json"
        self._described = path / "metadata" / f"{database}.sql"

    def read_book(self) -> Book | None:
        """None where there is none that can be read: then nothing is known of before."""
        try:
            return msgspec.json.decode(self.book_file.read_bytes(), type=Book)
        except (OSError, msgspec.DecodeError):
            return None

    def keep(self, book: Book) -> None:
        """Replaces the book, whole or not at all; a disk that is full keeps the older one."""
        with suppress(OSError):
            with tempfile.NamedTemporaryFile(dir=self.path, prefix=".book-", delete=False) as file:
                file.write(msgspec.json.encode(book))
            Path(file.name).replace(self.book_file)

    def check(self) -> None:
        """Raises HistoryDamaged where the engine would make anew what was there."""
        book = self.read_book()
        metadata = self._described.parent
        if book is None:
            described = any(metadata.glob("*.sql"))
            if not described and any(self.path.glob("store/*/*/*/checksums.txt")):
                raise self.damaged(f"it holds tables, and {metadata} does not describe them")
            return
        files = [self._described, *map(self._file, book.tables)]
        missing = [file for file in files if not file.is_file()]
        if missing:
            raise self.damaged(f"{', '.join(map(str, missing[:3]))} is missing")

    def cut_short(self) -> Sequence[Path]:
        """Descriptions that are shorter than they were: why the engine does not open."""
        book = self.read_book() or Book()
        files = {self._file(name): size for name, size in book.tables.items()}
        return [file for file, size in files.items() if file.stat().st_size < size]

    def sizes(self) -> dict[str, int]:
        return {file.stem: file.stat().st_size for file in self._descriptions.glob("*.sql")}

    def parts(self) -> list[Part]:
        """Of all tables, whether in use or replaced."""
        return [part for table, store in self._stores() for part in on_disk(table, store)]

    def table_in(self, text: str) -> str | None:
        """The table whose folder the engine names in an error."""
        found = _STORE.search(text)
        tables = (table for table, store in self._stores() if found and store.name == found[1])
        return next(tables, None)

    def damaged(self, how: str) -> HistoryDamaged:
        return HistoryDamaged(
            f"history in {self.path} is damaged: {how}: restore the folder from a backup, or run "
            "`analyticbot rebuild history`"
        )

    @property
    def _descriptions(self) -> Path:
        return self._store(self._described) or self._described.with_suffix("")

    def _file(self, table: str) -> Path:
        return self._descriptions / f"{table}.sql"

    def _stores(self) -> Iterator[tuple[str, Path]]:
        for file in sorted(self._descriptions.glob("*.sql")):
            if store := self._store(file):
                yield file.stem, store

    def _store(self, description: Path) -> Path | None:
        """Where the engine keeps what a file describes; it does without the links to it."""
        try:
            found = _UUID.search(description.read_bytes())
        except OSError:
            return None
        uuid = found[1].decode() if found else ""
        return self.path / "store" / uuid[:3] / uuid if found else None


def found_gone(
    book: Book, parts: Sequence[Part], broken: Iterable[tuple[str, str]], now_s: int
) -> None:
    """Enters what is gone: `parts` lay in the folder before the engine put aside the `broken`."""
    names = list(broken)
    new = set(names) - set(book.broken)
    whole = [part for part in parts if (part.table, part.name) not in new]
    put_aside = [part for part in parts if (part.table, part.name) in new]
    told = {(part.table, part.name) for part in book.gone}
    gone = lost([*book.parts, *put_aside], whole, now_s)
    for part in gone:
        if (part.table, part.name) not in told:
            told.add((part.table, part.name))
            book.gone.append(part)
    book.broken = names


def gone_by_table(book: Book) -> dict[str, str]:
    """How much of each table is gone, in words."""
    told: dict[str, list[Part]] = {}
    for part in book.gone:
        told.setdefault(part.table, []).append(part)
    return {
        table: f"{sum(part.rows for part in parts)} rows are gone "
        f"({', '.join(part.name for part in parts[:3])})"
        for table, parts in told.items()
    }
