"""History on chDB: ClickHouse's engine in this process, with one folder per process.

A client is not concurrent and its calls block, so one writer and a few readers run in threads. The
engine uses some 260 MB (190 MB of them pages of its library, which the kernel may drop) and is
opened once per process: it refuses a second folder while the first one is open, and a folder that
another process uses.
"""

import asyncio
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import clickhouse_connect
import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.insert import InsertContext

from clickhouse import statements
from clickhouse.chdb_book import Book, Folder, found_gone, gone_by_table
from clickhouse.chdb_loading import load_engine
from clickhouse.damage import Damage
from clickhouse.errors import asking, brief, writing
from clickhouse.folder_lock import check_free
from clickhouse.history import (
    Answer,
    HistoryDamaged,
    HistoryError,
    HistoryInUse,
    HistoryUnavailable,
    Insert,
)
from clickhouse.parts import Part
from clickhouse.schema import CREATE_LEDGER, READ_LEDGER, WRITE_LEDGER, check_tables, pending
from clickhouse.settings import insert_settings
from streams.clock import Clock, SystemClock

T = TypeVar("T")

#: The engine's settings; all clients of a process must name the same file.
CONFIG = str(resources.files("clickhouse") / "chdb.xml")


class ChdbSettings(msgspec.Struct, frozen=True):
    database: str = "analyticbot"
    #: Queries answered concurrently.
    readers: int = 3
    max_query_s: int = 20
    max_query_bytes: int = 300_000_000
    #: How often the folder's contents are recorded (clickhouse.chdb_book).
    book_s: float = 60.0


class ChdbHistory:
    """Implements History. Created by `open`; `close` must be awaited before the process ends.

    Every call raises HistoryUnavailable after `close`, except `damage` and `close`.
    """

    def __init__(self, path: Path, settings: ChdbSettings, clock: Clock) -> None:
        self._path = path
        self._settings = settings
        self._clock = clock
        self._folder = Folder(path, settings.database)
        self._book = Book()
        self._booked_ms: int | None = None
        self._damage = Damage()
        self._write_thread = ThreadPoolExecutor(1, "history-writer")
        self._read_threads = ThreadPoolExecutor(settings.readers, "history-reader")
        self._readers: queue.SimpleQueue[Client] = queue.SimpleQueue()
        self._clients: list[Client] = []
        self._contexts: dict[tuple[str, ...], InsertContext] = {}
        self._closed = False

    @classmethod
    async def open(
        cls, path: Path, settings: ChdbSettings | None = None, clock: Clock | None = None
    ) -> "ChdbHistory":
        """Load the engine in a thread and open the folder, created if it does not exist.

        Raises HistoryInUse, HistoryDamaged, HistoryError.
        """
        history = cls(path, settings or ChdbSettings(), clock or SystemClock())
        try:
            await history._in_writer(history._connect)
        except HistoryError:
            await history.close()
            raise
        return history

    async def migrate(self) -> Sequence[str]:
        return await self._in_writer(self._migrate)

    async def insert(self, insert: Insert) -> None:
        await self._in_writer(lambda: self._insert(insert))

    async def ask(self, query: str, parameters: Mapping[str, Any]) -> Answer:
        if self._closed:
            raise HistoryUnavailable("history is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._read_threads, self._ask, query, parameters)

    async def damage(self) -> Sequence[str]:
        return self._damage.lines()

    async def check(self) -> Sequence[str]:
        """Read all stored data. Returns the known damage, one line per table.

        Raises HistoryDamaged, QueryFailed, HistoryUnavailable.
        """
        return await self._in_writer(self._check)

    async def close(self) -> None:
        """Wait for running calls, then close: the engine must not close under a running thread."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    async def _in_writer(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise HistoryUnavailable("history is closed")
        return await asyncio.get_running_loop().run_in_executor(self._write_thread, work)

    def _connect(self) -> None:
        with _opening(self._folder):
            self._folder.check()
            #: The parts on disk before the engine moves unreadable ones aside.
            self._before = self._folder.parts()
            load_engine()
            self._path.mkdir(parents=True, exist_ok=True)
            self._writer = self._client(None, {})
            self._writer.command(f"CREATE DATABASE IF NOT EXISTS `{self._settings.database}`")
            self._writer.database = self._settings.database
            self._writer.command(f"USE `{self._settings.database}`")
            for _ in range(self._settings.readers):
                self._readers.put(self._client(self._settings.database, self._reader_options()))

    def _client(self, database: str | None, options: Mapping[str, str]) -> Client:
        client = clickhouse_connect.get_client(
            interface="chdb",
            path=str(self._path),
            database=database,
            chdb_options={"config-file": CONFIG, **options},
        )
        self._clients.append(client)
        return client

    def _reader_options(self) -> Mapping[str, str]:
        return {
            "mode": "ro",
            "max_execution_time": str(self._settings.max_query_s),
            "max_memory_usage": str(self._settings.max_query_bytes),
            "max_threads": "1",
        }

    def _migrate(self) -> Sequence[str]:
        with writing("migrations"):
            self._writer.command(CREATE_LEDGER)
            applied = {row[0] for row in self._writer.query(READ_LEDGER).result_rows}
            missing = pending(applied)
            for migration in missing:
                for statement in migration.statements:
                    self._writer.command(statement)
                self._writer.command(WRITE_LEDGER, parameters={"name": migration.name})
            if missing:
                self._load_views_again()
            self._contexts.clear()
            tables = self._writer.query(statements.query("tables")).result_columns
            check_tables(tables[0], f"in {self._path}")
        self._find_damage()
        return [migration.name for migration in missing]

    def _load_views_again(self) -> None:
        """Reload the filling views, as the next start would do.

        A view changed by ALTER names its blocks differently once it is loaded again. A retry of an
        insertion that a crash interrupted would then be rolled up twice. The next start completes
        an interrupted reload. Not done on a server, where a detached view may miss insertions.
        """
        for view in statements.filling_views():
            self._writer.command(f"DETACH TABLE {view}")
            self._writer.command(f"ATTACH TABLE {view}")

    def _find_damage(self) -> None:
        """Compare the parts on disk with the recorded ones, and record the result."""
        self._book = self._folder.read_book() or Book()
        found_gone(self._book, self._before, self._broken(), self._clock.now_ms() // 1000)
        for table, how in gone_by_table(self._book).items():
            self._damage.is_gone(table, how)
        self._keep_book()

    def _check(self) -> Sequence[str]:
        for table in {part.table for part in self._book.parts}:
            with asking(table):
                rows = self._writer.query(
                    f"CHECK TABLE `{table}` SETTINGS check_query_single_value_result = 0"
                ).result_rows
            # Columns, as text: part; "1" if intact; the fault.
            for part, passed, *says in (row for row in rows if len(row) > 1):
                if passed not in ("1", 1, True):
                    how = brief(Exception(" ".join(says)))
                    self._damage.cannot_read(table, f"part {part}: {how}")
        return self._damage.lines()

    def _broken(self) -> Sequence[tuple[str, str]]:
        with asking("broken_parts"):
            rows = self._writer.query(statements.query("broken_parts")).result_rows
        return [(table, part) for table, part in rows]

    def _keep_book(self) -> None:
        """Raises HistoryError."""
        with asking("parts"):
            rows = self._writer.query(statements.query("parts")).result_rows
            self._book.parts = [Part(*row) for row in rows]
            self._book.tables = self._folder.sizes()
            self._folder.keep(self._book)
        self._booked_ms = self._clock.now_ms()

    def _insert(self, insert: Insert) -> None:
        with writing(insert.table):
            context = self._context(insert)
            context.data = list(insert.columns.values())
            self._writer.insert(context=context, settings=dict(insert_settings(insert)))
        if self._booked_ms is not None:
            since_s = (self._clock.now_ms() - self._booked_ms) / 1000
            if not 0 <= since_s < self._settings.book_s:
                # The rows are stored, so the insertion has succeeded: the next one retries this.
                with suppress(HistoryError):
                    self._keep_book()

    def _context(self, insert: Insert) -> InsertContext:
        """Describing a table costs a query, so it happens once per table and list of columns."""
        key = (insert.table, *insert.columns)
        if key not in self._contexts:
            self._contexts[key] = self._writer.create_insert_context(
                insert.table,
                column_names=list(insert.columns),
                database=self._settings.database,
                column_oriented=True,
            )
        return self._contexts[key]

    def _ask(self, query: str, parameters: Mapping[str, Any]) -> Answer:
        client = self._readers.get()
        try:
            self._damage.refuse(query)
            with asking(query):
                result = client.query(statements.query(query), parameters=dict(parameters))
                return Answer(dict(zip(result.column_names, result.result_columns, strict=True)))
        except HistoryDamaged as error:
            if error.__cause__ is not None:
                table = self._folder.table_in(str(error.__cause__))
                self._damage.cannot_read(table or query, str(error))
            raise
        finally:
            self._readers.put(client)

    def _close(self) -> None:
        self._read_threads.shutdown(wait=True)
        self._write_thread.shutdown(wait=True)
        if self._booked_ms is not None:
            with suppress(HistoryError):
                self._keep_book()
        for client in reversed(self._clients):
            client.close()


@contextmanager
def _opening(folder: Folder) -> Iterator[None]:
    try:
        yield
    except ClickHouseError as error:
        raise _refusal(folder, error) from error
    except OSError as error:
        raise HistoryError(f"history folder {folder.path}: {error.strerror or error}") from error


def _refusal(folder: Folder, error: ClickHouseError) -> HistoryError:
    """The reason why the engine did not open, which its error does not always state."""
    path = folder.path
    if "already initialized with path" in str(error):
        return HistoryInUse(
            f"this process holds another history folder than {path}; close it first"
        )
    try:
        check_free(path)
    except HistoryInUse as in_use:
        return in_use
    if cut := folder.cut_short():
        return folder.damaged(f"{', '.join(map(str, cut[:3]))} is cut short")
    return HistoryError(f"history folder {path} cannot be opened: {brief(error)}")
