"""The positions up to which history holds the log, stored in history beside the rows.

The group's offsets alone do not reveal a history that was removed or restored from a backup: it
would stay empty for good. The writer reads again what history does not hold. Nothing counts twice:
rows of one key merge, roll-ups of samples ignore repetitions, and a closed window that is in the
roll-ups already is skipped by its mark (queries/closed_marks.sql).
"""

from hashlib import blake2b
from typing import Any

import msgspec

from clickhouse.history import Answer, Insert
from streams.log import OffsetRanges, Offsets, Partition

#: The partition that stands for all others of a history without positions: all committed is held.
_BEFORE_POSITIONS = Partition("*", 0)


class Held(msgspec.Struct):
    """Made from the result of queries/positions.sql, then updated with each stored batch."""

    next: dict[Partition, int]
    version: int

    @classmethod
    def told(cls, answer: Answer) -> "Held":
        rows = answer.rows
        at = {Partition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        return cls(at, max((row["newest"] for row in rows), default=0))

    def start(self, partition: Partition, committed: int) -> int:
        """The offset to read `partition` from: below `committed` if history is behind it."""
        return min(committed, self._held(partition, committed))

    def reaches(self, ranges: OffsetRanges) -> bool:
        """Whether history holds everything before `ranges`."""
        return all(
            self._held(each, range_.first) >= range_.first for each, range_ in ranges.items()
        )

    def ahead(self, partition: Partition, end: int) -> int:
        """The number of messages that history holds beyond the end of the log."""
        return max(self.next.get(partition, 0) - end, 0)

    def moved(self, offsets: Offsets) -> Insert | None:
        """The insert that records positions up to `offsets`; None if they are recorded already."""
        new = {each: at for each, at in offsets.items() if self.next.get(each) != at}
        if not new:
            return None
        self.next.update(new)
        self.version += 1
        return _positions(new, self.version)

    def _held(self, partition: Partition, otherwise: int) -> int:
        return self.next.get(partition, otherwise if _BEFORE_POSITIONS in self.next else 0)


def _positions(offsets: Offsets, version: int) -> Insert:
    """Every insert has a different token: repeated positions, of another log, must count."""
    columns: dict[str, list[Any]] = {
        "topic": [each.topic for each in offsets],
        "partition": [each.number for each in offsets],
        "next": list(offsets.values()),
        "version": [version] * len(offsets),
    }
    content = repr((version, sorted(offsets.items())))
    return Insert("positions", blake2b(content.encode(), digest_size=16).hexdigest(), columns)


def removed_unread(partition: Partition, first: int, next_: int, before_ms: int) -> Insert:
    """Records that the log removed [first, next_) before history stored it."""
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
