"""RocksDB as the log and the tables use it: ordered bytes, atomic writes, durability on demand.

The only file that knows rocksdict. What it raises leaves here as a LogError: rocksdict has one
exception for everything, so its text decides which.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    WriteBatch,
)

from streams.log import LogClosed, LogDamaged, LogError, LogFull, LogInUse

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
)


class Budget(NamedTuple):
    """How much memory a database may take, in bytes.

    Modest by default, because the whole process has to stay below 600 MB at rest.
    """

    #: Of one buffer of what was written last; there are at most four.
    buffer: int = 16 << 20
    #: For blocks that were read.
    cache: int = 16 << 20


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
        self, folder: Path, *, sync: bool = True, budget: Budget | None = None, holds: str = "log"
    ) -> None:
        """Opens or makes the database; `holds` is what errors call it.

        Raises LogDamaged, LogFull (NoSpace), LogInUse or LogError.
        """
        self._folder = folder
        self._sync = sync
        self._holds = holds
        with self._translated():
            self._db = Rdict(str(folder), _options(budget or Budget()))

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

    def close(self) -> None:
        """Closed in any case. Raises LogError where the newest may not be on the disk."""
        with self._translated():
            try:
                self._db.flush_wal(True)
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
        return kind(f"{self._holds} in {self._folder}: {text}")


def _options(budget: Budget) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
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
