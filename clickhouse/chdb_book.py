"""The book: the recorded contents of a chDB history folder, kept in a file of that folder.

The engine does not report missing data: it recreates a database whose description is missing, and
skips tables and parts that it cannot find or read. The book reveals the loss. It may be older than
the folder; its statements must hold even then.
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
    #: The tables and views, with the size in bytes of the engine's description of each.
    tables: dict[str, int] = {}
    #: The parts in use.
    parts: list[Part] = []
    #: All parts ever found missing; a later merge does not restore them.
    gone: list[Part] = []
    #: (table, part) of the parts that the engine had moved aside as broken at the last check.
    broken: list[tuple[str, str]] = []


class Folder:
    """The folder of a history, read without the engine. Only `keep` changes it: it writes the book.

    All methods block on the disk.
    """

    def __init__(self, path: Path, database: str) -> None:
        self.path = path
        self._database = database
        self.book_file = path / f"{database}.book.json"
        self._described = path / "metadata" / f"{database}.sql"

    def read_book(self) -> Book | None:
        """The book; None if it is missing or unreadable: the earlier contents are then unknown."""
        try:
            return msgspec.json.decode(self.book_file.read_bytes(), type=Book)
        except (OSError, msgspec.DecodeError):
            return None

    def keep(self, book: Book) -> None:
        """Replace the book atomically. An error of the disk, such as a full one, keeps the old."""
        with suppress(OSError):
            with tempfile.NamedTemporaryFile(dir=self.path, prefix=".book-", delete=False) as file:
                file.write(msgspec.json.encode(book))
            Path(file.name).replace(self.book_file)

    def check(self) -> None:
        """Raises HistoryDamaged if the engine would recreate something that existed, empty."""
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
        """Descriptions shorter than recorded: the reason why the engine does not open."""
        book = self.read_book() or Book()
        files = {self._file(name): size for name, size in book.tables.items()}
        return [file for file, size in files.items() if file.stat().st_size < size]

    def sizes(self) -> dict[str, int]:
        return {file.stem: file.stat().st_size for file in self._descriptions.glob("*.sql")}

    def parts(self) -> list[Part]:
        """The parts of all tables, in use or replaced."""
        return [part for table, store in self._stores() for part in on_disk(table, store)]

    def table_in(self, text: str) -> str | None:
        """The table whose folder an error of the engine names; None if it names no known table."""
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
        """The folder of the object that a file describes; the engine's links to it may be missing.

        None if the file is unreadable or names no folder.
        """
        try:
            found = _UUID.search(description.read_bytes())
        except OSError:
            return None
        uuid = found[1].decode() if found else ""
        return self.path / "store" / uuid[:3] / uuid if found else None


def found_gone(
    book: Book, parts: Sequence[Part], broken: Iterable[tuple[str, str]], now_s: int
) -> None:
    """Record missing parts. `parts` were on disk before the engine moved `broken` ones aside."""
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
    """The loss per table, in words."""
    told: dict[str, list[Part]] = {}
    for part in book.gone:
        told.setdefault(part.table, []).append(part)
    return {
        table: f"{sum(part.rows for part in parts)} rows are gone "
        f"({', '.join(part.name for part in parts[:3])})"
        for table, parts in told.items()
    }
