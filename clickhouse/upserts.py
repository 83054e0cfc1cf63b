"""The agents' messages as rows of history. Pure. One row per key: the newest of a batch.

`streams.kinds` declares which kinds are kept, and their tables and columns.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar, assert_never, cast

import msgspec

from clickhouse.history import Insert
from streams.analytics import ActivityWindow, Decision, LateSamples
from streams.ids import ChannelId
from streams.kind import Inserted, Kept, KeptWhole, Kind, NotKept
from streams.kinds import KINDS
from streams.known import Kinds

D = TypeVar("D", bound=Decision)

_json = msgspec.json.Encoder()


class DecidedRows:
    """Collects messages of analytics.* one by one; `inserts` returns their rows. Never waits."""

    def __init__(self, tables: "Tables | None" = None) -> None:
        self._tables = TABLES if tables is None else tables
        self._rows: dict[type[Decision], dict[str, Any]] = {struct: {} for struct in self._tables}

    def take(self, message: Decision) -> None:
        """Add a message; the newest version of its key wins. Ignores kinds that are not kept."""
        struct = type(message)
        rows = self._rows.get(struct)
        if rows is None:
            return
        table = self._tables[struct]
        key = table.upsert_key(message)
        earlier = rows.get(key)
        if earlier is None or table.version(message) >= table.version(earlier):
            rows[key] = message

    @property
    def late(self) -> Sequence[LateSamples]:
        """The collected samples that came too late for any window."""
        return list(self._of(LateSamples).values())

    def drop_closed(self, marks: Mapping[ChannelId, int]) -> int:
        """Drop the windows that start no later than their channel's last stored closed window.

        `marks`: the start of that window, by channel. Windows of a channel close in order, so the
        dropped ones are repetitions; a closed window must enter the roll-ups once. Returns their
        number.
        """
        windows = self._of(ActivityWindow)
        repeated = [
            key
            for key, window in windows.items()
            if window.start_ms <= marks.get(window.channel_id, -1)
        ]
        for key in repeated:
            del windows[key]
        return len(repeated)

    def closed_marks(self) -> Mapping[ChannelId, int]:
        """The start of the last collected closed window, by channel."""
        marks: dict[ChannelId, int] = {}
        for window in self._of(ActivityWindow).values():
            if window.closed:
                marks[window.channel_id] = max(window.start_ms, marks.get(window.channel_id, -1))
        return marks

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def inserts(self, token: str, batch: int) -> Sequence[Insert]:
        """One insertion per table with rows, in a fixed order; all with `token`.

        `batch` is the number of the batch, stored with its rows.
        """
        return [
            Insert(table.name, token, table.columns(self._rows[struct].values(), batch))
            for struct, table in self._tables.items()
            if self._rows[struct]
        ]

    def _of(self, struct: type[D]) -> dict[str, D]:
        return cast(dict[str, D], self._rows[struct])


class _Table:
    """The table and columns of one kind of messages."""

    def __init__(self, kind: Kind[Any], kept: Kept[Any]) -> None:
        self.name = kept.table
        self.upsert_key = kind.upsert_key
        self.version = kept.version
        self._columns = {name: _reading(source) for name, source in kept.columns.items()}

    def columns(self, messages: Iterable[Any], batch: int) -> Mapping[str, Sequence[Any]]:
        """The columns by name, with one value per message."""
        rows = list(messages)
        return {
            name: [batch] * len(rows) if read is None else list(map(read, rows))
            for name, read in self._columns.items()
        }


def _reading(source: str | Callable[[Any], object] | Inserted) -> Callable[[Any], object] | None:
    """The function that reads a column's value from a message; None for the number of the batch."""
    if source is Inserted.BATCH:
        return None
    return attrgetter(source) if isinstance(source, str) else source


def kept_of(kind: Kind[Any]) -> Kept[Any] | None:
    """The table and columns of a kind; None if history does not keep its messages."""
    match kind.history:
        case Kept():
            return kind.history
        case KeptWhole(version):
            return _whole(kind, version)
        case NotKept():
            return None
        case _:
            assert_never(kind.history)


def _whole(kind: Kind[Any], version: Callable[[Any], int]) -> Kept[Any]:
    return Kept(
        table="messages",
        columns={
            "kind": lambda _: kind.tag,
            "channel_id": "channel_id",
            "key": kind.upsert_key,
            "body": lambda message: _json.encode(message).decode(),
            "observed_at": "observed_at_ms",
            "version": version,
        },
        version=version,
    )


#: Tables by kept kind, in the order of the insertions.
Tables = Mapping[type[Decision], _Table]


def tables_of(kinds: Kinds) -> Tables:
    """The table of each kept kind."""
    kept = ((kind, kept_of(kind)) for kind in kinds)
    return {kind.struct: _Table(kind, rows) for kind, rows in kept if rows is not None}


TABLES: Tables = tables_of(KINDS)
#: The kinds that are kept.
KEPT: Sequence[type[Decision]] = tuple(TABLES)
