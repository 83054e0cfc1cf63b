"""The folder of a log: its database, the lock of the process that uses it, and the marker."""

from pathlib import Path

from streams.database import Database, Kind
from streams.marker import Marker

KIND = Kind(
    "log",
    "restore the folder of the log from a backup, or move it away to begin with an empty log",
)
LOCK = "pid"
_DATABASE = "rocksdb"
_MARKER = "made"


def is_made(folder: Path) -> bool:
    """Whether the folder has or had a log; if not, the next start creates one."""
    return (folder / _MARKER).exists() or (folder / _DATABASE).exists()


def opened_database(folder: Path, *, sync: bool = True, read_only: bool = False) -> Database:
    """Blocks while RocksDB recovers. Raises the errors of Database."""
    marker = Marker(folder / _MARKER)
    return Database(folder / _DATABASE, KIND, sync=sync, marker=marker, read_only=read_only)
