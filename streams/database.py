"""RocksDB as the log and the tables use it: ordered bytes, atomic writes, durability on demand.

The only file that knows rocksdict. What it raises leaves here as a LogError: rocksdict has one
exception for everything, so its text decides which.
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
    """The disk has no space left. Once it has, RocksDB goes on by itself: try again until then."""


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

#: Names the newest description of the database; what makes one writes this file last.
_CURRENT = "CURRENT"


class Budget(NamedTuple):
    """How much memory a database may take, in bytes.

    Modest by default, because the whole process has to stay below 600 MB at rest.
    """

    #: Of one buffer of what was written last; there are at most four.
    buffer: int = 16 << 20
    #: For blocks that were read.
    cache: int = 16 << 20


class Kind(NamedTuple):
    """What a database is to an operator: how errors call it, and what to do about damage."""

    name: str
    remedy: str


class Write:
    """Changes that happen together or not at all; the later of two changes of a key counts."""

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
    """Reads may come from any thread, writes from one at a time."""

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
        """Opens the database, or makes it where nothing is: never in place of what is damaged.

        A `marker` is noted in from now on, and a database that has less than it says is refused;
        what is refused was not touched. `read_only` changes nothing and makes nothing.
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
        """Raises LogDamaged for one that lost the file by which it is opened.

        Nothing but that file is proof: while one is made for the first time the others come before.
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
        """Open it without changing anything, not even RocksDB's own log, which goes elsewhere."""
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
        """RocksDB takes a description or a log that was cut short for one that never went on."""
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
        """The rows of [lower, upper) in order, as they were when the first is asked for."""
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
        """Atomic; and durable when it returns, or with the next write that is.

        In two steps, because rocksdict holds the interpreter's lock while it writes to memory and
        the file's cache, but not while it waits for the disk.
        """
        with self._translated():
            self._db.write(write.batch)
            if durable and self._sync:
                self._db.flush_wal(True)

    @property
    def size_bytes(self) -> int:
        """On the disk and in buffers, about."""
        with self._translated():
            sizes = ("rocksdb.total-sst-files-size", "rocksdb.cur-size-all-mem-tables")
            return sum(int(self._db.property_int_value(name) or 0) for name in sizes)

    @property
    def rows(self) -> int:
        """About how many there are."""
        with self._translated():
            return int(self._db.property_int_value("rocksdb.estimate-num-keys") or 0)

    def note(self) -> None:
        """Note in the marker how far it has come. On the thread that writes."""
        if self._marker is not None and self._sync:
            with self._translated():
                self._db.flush_wal(True)
                self._marker.note(int(self._db.latest_sequence_number()))

    def close(self) -> None:
        """Closed in any case. Raises LogError where the newest may not be on the disk."""
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
        """Damage that is found in what the rows hold is told with the place and the remedy."""
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
    """Whether a file is of a database that was in use: not of one whose making was cut short."""
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
