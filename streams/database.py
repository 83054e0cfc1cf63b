"""RocksDB as the log and the tables use it: ordered bytes, atomic writes, durability on demand.

The only file that uses rocksdict. It translates errors to LogError: rocksdict has a single
exception type, so its text decides which.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    WriteBatch,
)

from streams.log import LogClosed, LogDamaged, LogError, LogFull, LogInUse
from streams.marker import Marker

_MAX_WAL = 64 << 20


class NoSpace(LogFull):
    """The disk is full. RocksDB resumes once there is space: retry until then."""


_KINDS: tuple[tuple[str, type[LogError]], ...] = (
    ("Corruption", LogDamaged),
    ("No space left", NoSpace),
    ("File too large", LogFull),
    ("quota exceeded", LogFull),
    ("already closed", LogClosed),
    ("lock hold", LogInUse),
    ("Resource temporarily unavailable", LogInUse),
    ("No such file or directory", LogDamaged),
)

#: Names the newest description of the database; creating a database writes this file last.
_CURRENT = "CURRENT"


class Budget(NamedTuple):
    """The memory of a database, in bytes.

    Modest by default, because the whole process has to stay below 600 MB at rest.
    """

    #: Of one write buffer; there are at most four.
    buffer: int = 16 << 20
    #: The block cache.
    cache: int = 16 << 20


class Kind(NamedTuple):
    """A kind of database for operators: its name in errors, and the remedy for damage."""

    name: str
    remedy: str


class Write:
    """An atomic set of changes; the later of two changes of a key wins."""

    def __init__(self) -> None:
        self.batch = WriteBatch(raw_mode=True)

    def put(self, key: bytes, value: bytes) -> None:
        self.batch.put(key, value)

    def delete(self, key: bytes) -> None:
        self.batch.delete(key)

    def delete_range(self, lower: bytes, upper: bytes) -> None:
        """[lower, upper)."""
        self.batch.delete_range(lower, upper)


class Database:
    """Any thread may read; one thread at a time may write."""

    def __init__(
        self,
        folder: Path,
        kind: Kind,
        *,
        sync: bool = True,
        budget: Budget | None = None,
        marker: Marker | None = None,
        read_only: bool = False,
    ) -> None:
        """Opens the database, or creates it if nothing exists; never replaces a damaged one.

        A `marker` records progress from now on; a database that has less than it says is refused
        and left untouched. `read_only` changes and creates nothing.
        Raises LogDamaged, LogFull (NoSpace), LogInUse or LogError.
        """
        self._folder = folder
        self._kind = kind
        self._sync = sync
        self._marker = marker
        self._read_only = read_only
        options = _options(budget or Budget())
        made = self._is_made()
        if read_only or (made and marker is not None):
            self._db = self._look(options)
            self._check_whole()
        if not read_only:
            options.create_if_missing(not made)
            with self._translated():
                self._db = Rdict(str(folder), options)

    def _is_made(self) -> bool:
        """Raises LogDamaged if the file that opens the database is missing.

        Only that file is proof: creating a database writes the others before it.
        """
        try:
            found = [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            found = []
        except OSError as error:
            raise LogError(f"{self._place} cannot be read: {error.strerror}") from error
        if (self._folder / _CURRENT).exists():
            return True
        marked = self._marker is not None and self._marker.is_there
        if marked or self._read_only or any(map(_is_data, found)):
            raise self._damaged(f"its file {_CURRENT} is missing")
        return False

    def _look(self, options: Options) -> Rdict:
        """Opens it without changing anything; even RocksDB's info log goes elsewhere."""
        with self._translated():
            logs = tempfile.mkdtemp(prefix="analyticbot-")
        try:
            options.set_db_log_dir(logs)
            with self._translated():
                return Rdict(str(self._folder), options, access_type=AccessType.read_only())
        finally:
            options.set_db_log_dir("")
            shutil.rmtree(logs, ignore_errors=True)

    def _check_whole(self) -> None:
        """Checks the marker: RocksDB accepts a truncated description or log as complete."""
        with self._translated():
            has = int(self._db.latest_sequence_number())
            if not self._read_only:
                self._db.close()
        noted = self._marker.sequence() if self._marker is not None else 0
        if self._marker is not None and has < noted:
            raise self._damaged(
                f"{noted - has} of its {noted} changes are missing (to go on with what is left, "
                f"remove {self._marker.file})"
            )

    def scan(self, lower: bytes, upper: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The rows of [lower, upper) in order: a snapshot taken at the first row."""
        with self._translated():
            rows = self._db.iter()
            rows.seek(lower)
        while True:
            with self._translated():
                if not rows.valid():
                    rows.status()
                    return
                key: bytes = rows.key()
                value: bytes = rows.value()
            if key >= upper:
                return
            yield key, value
            with self._translated():
                rows.next()

    def last(self, lower: bytes, upper: bytes) -> tuple[bytes, bytes] | None:
        """The last row of [lower, upper)."""
        with self._translated():
            rows = self._db.iter()
            rows.seek_for_prev(upper)
            if rows.valid() and rows.key() == upper:
                rows.prev()
            if not rows.valid():
                rows.status()
                return None
            key: bytes = rows.key()
            return (key, rows.value()) if key >= lower else None

    def get(self, key: bytes) -> bytes | None:
        with self._translated():
            value: bytes | None = self._db.get(key)
            return value

    def write(self, write: Write, *, durable: bool = True) -> None:
        """Writes atomically; durable when it returns, or with the next durable write.

        In two steps, because rocksdict holds the interpreter's lock while it writes to memory and
        the file's cache, but not while it waits for the disk.
        """
        with self._translated():
            self._db.write(write.batch)
            if durable and self._sync:
                self._db.flush_wal(True)

    @property
    def size_bytes(self) -> int:
        """An estimate of the bytes on the disk and in buffers."""
        with self._translated():
            sizes = ("rocksdb.total-sst-files-size", "rocksdb.cur-size-all-mem-tables")
            return sum(int(self._db.property_int_value(name) or 0) for name in sizes)

    @property
    def rows(self) -> int:
        """An estimate of the number of rows."""
        with self._translated():
            return int(self._db.property_int_value("rocksdb.estimate-num-keys") or 0)

    def note(self) -> None:
        """Record the progress in the marker. Called on the writing thread."""
        if self._marker is not None and self._sync:
            with self._translated():
                self._db.flush_wal(True)
                self._marker.note(int(self._db.latest_sequence_number()))

    def close(self) -> None:
        """Always closes. Raises LogError if the newest rows may not be on the disk."""
        with self._translated():
            try:
                if not self._read_only:
                    self._db.flush_wal(True)
                    if self._marker is not None:
                        self._marker.note(int(self._db.latest_sequence_number()))
            finally:
                self._db.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> LogError:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        kind = next((kind for mark, kind in _KINDS if mark in text), LogError)
        return self._damaged(text) if kind is LogDamaged else kind(f"{self._place}: {text}")

    def _damaged(self, how: str) -> LogDamaged:
        return LogDamaged(f"{self._place} is damaged: {how}: {self._kind.remedy}")

    @contextmanager
    def named(self) -> Iterator[None]:
        """The LogDamaged for damaged rows, with place and remedy."""
        try:
            yield
        except LogDamaged as error:
            if self._place in str(error):
                raise
            raise self._damaged(str(error)) from error

    @property
    def _place(self) -> str:
        return f"{self._kind.name} in {self._folder}"


def _is_data(name: str) -> bool:
    """Whether the file belongs to a used database, not to one whose creation was interrupted."""
    if name.startswith("MANIFEST-"):
        return name != "MANIFEST-000001"
    return name.endswith((".sst", ".log", ".blob"))


def _options(budget: Budget) -> Options:
    options = Options(raw_mode=True)
    # A write torn by a power cut at the end of the log is forgotten (nobody was told that it is
    # there); damage before the end is refused instead of being forgotten with all after it.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(budget.buffer)
    options.set_max_write_buffer_number(4)
    options.set_max_total_wal_size(_MAX_WAL)
    options.set_keep_log_file_num(3)
    options.set_level_zero_slowdown_writes_trigger(40)
    options.set_level_zero_stop_writes_trigger(60)
    table = BlockBasedOptions()
    table.set_block_cache(Cache(budget.cache))
    options.set_block_based_table_factory(table)
    return options
