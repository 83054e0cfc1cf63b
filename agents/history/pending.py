"""How far the log is in history, as history itself says it: kept there beside the rows.

The group's offsets alone do not tell of a history that was removed, or restored from a backup: it
would stay empty for good. What history does not hold is read again. That doubles nothing: rows of
one key merge, roll-ups of samples are the same whatever is told twice, and a closed window that is
in the roll-ups already is left out by its mark (queries/closed_marks.sql).
"""

from hashlib import blake2b
from typing import Any

import msgspec

from clickhouse.history import Answer, Insert
from streams.log import OffsetRanges, Offsets, Partition

#: The partition that says of all others: what was committed is held, without positions.
_BEFORE_POSITIONS = Partition("*", 0)


class Held(msgspec.Struct):
    """Made of the answer to queries/positions.sql; goes on with what is stored."""

    next: dict[Partition, int]
    version: int

    @classmethod
    def told(cls, answer: Answer) -> "Held":
        rows = answer.rows
        at = {Partition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        return cls(at, max((row["newest"] for row in rows), default=0))

    def start(self, partition: Partition, committed: int) -> int:
        """From where on `partition` is read; before `committed` where history is behind it."""
        return min(committed, self._held(partition, committed))

    def reaches(self, ranges: OffsetRanges) -> bool:
        """Whether all that comes before `ranges` is in history."""
        return all(
            self._held(each, range_.first) >= range_.first for each, range_ in ranges.items()
        )

    def ahead(self, partition: Partition, end: int) -> int:
        """How many messages history holds that the log, which ends at `end`, does not."""
        return max(self.next.get(partition, 0) - end, 0)

    def moved(self, offsets: Offsets) -> Insert | None:
        """What says that all before `offsets` is held now. None where it is said already."""
        new = {each: at for each, at in offsets.items() if self.next.get(each) != at}
        if not new:
            return None
        self.next.update(new)
        self.version += 1
        return _positions(new, self.version)

    def _held(self, partition: Partition, otherwise: int) -> int:
        return self.next.get(partition, otherwise if _BEFORE_POSITIONS in self.next else 0)


def _positions(offsets: Offsets, version: int) -> Insert:
    """No two have one token: positions that come again, of another log, must count."""
    columns: dict[str, list[Any]] = {
        "topic": [each.topic for each in offsets],
        "partition": [each.number for each in offsets],
        "next": list(offsets.values()),
        "version": [version] * len(offsets),
    }
    content = repr((version, sorted(offsets.items())))
    return Insert("positions", blake2b(content.encode(), digest_size=16).hexdigest(), columns)


def removed_unread(partition: Partition, first: int, next_: int, before_ms: int) -> Insert:
    """That the log removed [first, next_) before it was stored."""
    columns: dict[str, list[Any]] = {
        "topic": [partition.topic],
        "partition": [partition.number],
        "first": [first],
        "next": [next_],
        "before": [before_ms],
    }
    return Insert(
        "removed_unread", f"{partition.topic}-{partition.number}-{first}-{next_}", columns
    )
