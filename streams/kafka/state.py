"""The rows of a worker's tables on its disk: one RocksDB for all tables and tasks.

Rows stay in memory until their transaction has committed; then they are written together with the
positions in the changelogs, so that the disk never knows what Kafka does not. After a crash the
disk is behind the changelogs, which are read from its positions (changelogs.py). Losing the folder
costs the time to read them from their beginning. Writes are not synced individually: a power
failure loses the newest rows together with their positions.
"""

import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from streams.clock import Clock, SystemClock
from streams.context import Task
from streams.database import Budget, Database, Kind, Write
from streams.log import LogDamaged, Partition
from streams.units import DAY_MS

#: Rows that are not on the disk yet, by their key in the database; None: deleted.
Layer = dict[bytes, bytes | None]

#: Losing them loses nothing: the changelogs have every row.
_KIND = Kind("tables", "move the folder away; they are rebuilt from their changelogs")
_VERSION_KEY, _VERSION = b"v", b"1"
#: Do not resume from a position that has not moved for longer: compaction removes the tombstones of
#: a changelog after a week (topic_creation.py), and a reader that missed one would keep its row.
_STALE_MS = 6 * DAY_MS
_TABLE, _POSITION, _ROW, _INPUT = b"t", b"p", b"r", b"i"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[str, int, int]]).decode
#: An offset, and the time when it was reached.
_POSITION_CODE = struct.Struct(">qq")


class State:
    """Called from the event loop only; one process at a time uses a folder."""

    def __init__(
        self, folder: Path, budget: Budget | None = None, clock: Clock | None = None
    ) -> None:
        """Raises what opening a database raises."""
        folder.mkdir(parents=True, exist_ok=True)
        self._database = Database(folder, _KIND, sync=False, budget=budget)
        self._clock = clock or SystemClock()
        self._check_version()
        self._numbers = {
            key[1:].decode(): int.from_bytes(value, "big")
            for key, value in self._database.scan(_TABLE, _after(_TABLE))
        }
        self._prefixes: dict[tuple[str, Task], bytes] = {}
        #: Rows put since the last commit began, per task.
        self._put: dict[Task, Layer] = {}
        #: Rows of the commit in progress, per task.
        self._frozen: dict[Task, Layer] = {}

    # -- rows

    def row(self, task: Task, table: str, key: bytes) -> bytes | None:
        full = self._prefix(table, task) + key
        for layers in (self._put, self._frozen):
            layer = layers.get(task)
            if layer is not None and full in layer:
                return layer[full]
        return self._database.get(full)

    def put(self, task: Task, table: str, key: bytes, data: bytes | None) -> None:
        layer = self._put.get(task)
        if layer is None:
            layer = self._put[task] = {}
        layer[self._prefix(table, task) + key] = data

    def items(self, table: str, tasks: Iterable[Task]) -> Iterator[tuple[bytes, bytes]]:
        """The present rows of some tasks."""
        for task in tasks:
            prefix = self._prefix(table, task)
            rows: dict[bytes, bytes | None] = dict(self._database.scan(prefix, _after(prefix)))
            for layers in (self._frozen, self._put):
                of_table = layers.get(task, {}).items()
                rows.update((key, row) for key, row in of_table if key.startswith(prefix))
            for key, row in sorted(rows.items()):
                if row is not None:
                    yield key[len(prefix) :], row

    def has_rows(self, task: Task, table: str) -> bool:
        """Whether there are any, on the disk or about to be."""
        prefix = self._prefix(table, task)
        put = (key for layers in (self._put, self._frozen) for key in layers.get(task, ()))
        stored = next(self._database.scan(prefix, _after(prefix)), None)
        return stored is not None or any(key.startswith(prefix) for key in put)

    # -- commits

    def freeze(self, task: Task) -> None:
        """Begin a commit: rows put so far belong to it, later ones to the next."""
        assert task not in self._frozen
        if task in self._put:
            self._frozen[task] = self._put.pop(task)

    def settle(
        self, task: Task, positions: Mapping[str, int], read: Mapping[Partition, int] | None = None
    ) -> None:
        """The commit succeeded: write its rows. `positions`: the next offset of each changelog,
        `read`: of each input."""
        write = Write()
        if read:
            inputs = {**self.inputs(task), **read}
            write.put(_input_key(task), _encode([(*each, at) for each, at in inputs.items()]))
        for key, row in self._frozen.pop(task, {}).items():
            _change(write, key, row)
        for table, offset in positions.items():
            self._put_position(write, table, task, offset)
        self._database.write(write)

    def roll_back(self, task: Task) -> None:
        """Drop the rows put since the last commit."""
        self._frozen.pop(task, None)
        self._put.pop(task, None)

    def inputs(self, task: Task) -> dict[Partition, int]:
        """The next input offsets at this worker's last commit of the task."""
        stored = self._database.get(_input_key(task))
        return {Partition(t, n): at for t, n, at in _decode(stored)} if stored else {}

    def count(self, task: Task, table: str) -> int:
        """The number of rows on the disk. Scans all."""
        prefix = self._prefix(table, task)
        return sum(1 for _ in self._database.scan(prefix, _after(prefix)))

    # -- changelogs

    def position(self, task: Task, table: str) -> int | None:
        """The next offset of its changelog; None if the rows on the disk cannot be resumed from."""
        stored = self._database.get(self._position_key(table, task))
        if stored is None:
            return None
        offset, moved_ms = _POSITION_CODE.unpack(stored)
        return None if self._clock.now_ms() - moved_ms > _STALE_MS else int(offset)

    def apply(
        self,
        task: Task,
        table: str,
        rows: Iterable[tuple[bytes, bytes | None]],
        position: int,
    ) -> None:
        """Apply records of a changelog up to a position."""
        prefix, write = self._prefix(table, task), Write()
        for key, row in rows:
            _change(write, prefix + key, row)
        self._put_position(write, table, task, position)
        self._database.write(write)

    def wipe(self, task: Task, table: str) -> None:
        """Delete all rows of a table's task, and their position."""
        prefix, write = self._prefix(table, task), Write()
        write.delete_range(prefix, _after(prefix))
        write.delete(self._position_key(table, task))
        self._database.write(write)

    def warm(self, tables: Collection[str]) -> set[Task]:
        """The tasks with rows of every table on this disk."""
        found: dict[str, set[Task]] = {table: set() for table in tables}
        names = {number: name for name, number in self._numbers.items()}
        for key, _ in self._database.scan(_POSITION, _after(_POSITION)):
            name = names.get(int.from_bytes(key[1:3], "big"))
            if name in found:
                found[name].add(int.from_bytes(key[3:5], "big"))
        return set.intersection(*found.values()) if found else set()

    @property
    def rows(self) -> int:
        """An estimate of the rows on the disk, of all tables and tasks, standbys included."""
        return self._database.rows

    @property
    def size_bytes(self) -> int:
        return self._database.size_bytes

    def close(self) -> None:
        self._database.close()

    # -- keys

    def _check_version(self) -> None:
        version = self._database.get(_VERSION_KEY)
        if version is None:
            write = Write()
            write.put(_VERSION_KEY, _VERSION)
            self._database.write(write)
        elif version != _VERSION:
            raise LogDamaged(
                f"the tables on this disk have layout {version.decode(errors='replace')}; this "
                f"program reads {_VERSION.decode()}: move the folder away; they are rebuilt"
            )

    def _prefix(self, table: str, task: Task) -> bytes:
        prefix = self._prefixes.get((table, task))
        if prefix is None:
            place = _place(self._number(table), task)
            prefix = self._prefixes[table, task] = _ROW + place
        return prefix

    def _position_key(self, table: str, task: Task) -> bytes:
        return _POSITION + _place(self._number(table), task)

    def _put_position(self, write: Write, table: str, task: Task, offset: int) -> None:
        stored = _POSITION_CODE.pack(offset, self._clock.now_ms())
        write.put(self._position_key(table, task), stored)

    def _number(self, table: str) -> int:
        number = self._numbers.get(table)
        if number is None:
            number = self._numbers[table] = len(self._numbers)
            write = Write()
            write.put(_TABLE + table.encode(), number.to_bytes(2, "big"))
            self._database.write(write)
        return number


def _input_key(task: Task) -> bytes:
    return _INPUT + task.to_bytes(2, "big")


def _place(number: int, task: Task) -> bytes:
    return number.to_bytes(2, "big") + task.to_bytes(2, "big")


def _after(prefix: bytes) -> bytes:
    """The first key after all keys that begin with `prefix`."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1])


def _change(write: Write, key: bytes, row: bytes | None) -> None:
    if row is None:
        write.delete(key)
    else:
        write.put(key, row)
