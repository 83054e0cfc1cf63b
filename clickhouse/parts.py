"""Parts of MergeTree tables: the present ones and the missing ones. Only `on_disk` reads files.

A part is named PARTITION_FIRST_LAST_LEVEL after the insertions that it contains. A merged part
replaces the parts whose insertions it contains.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import msgspec

_NAME = re.compile(r"(?P<partition>[^_]+)_(?P<first>\d+)_(?P<last>\d+)_\d+(_\d+)?")


class Part(msgspec.Struct, frozen=True):
    table: str
    name: str
    rows: int
    #: When the last row of the part expires, in seconds since 1970 UTC; 0: never.
    expires_s: int = 0


class _Span(NamedTuple):
    """The first and the last insertion in a part, and its number of rows."""

    first: int
    last: int
    rows: int


class _Found:
    """The parts found in one partition of a table, indexed by their insertions."""

    def __init__(self, spans: Iterable[_Span]) -> None:
        #: By first insertion; the largest first among equals.
        self._spans = sorted(spans, key=lambda span: (span.first, -span.last))
        self._firsts = [span.first for span in self._spans]
        #: The latest insertion of the spans up to and including each one.
        self._lasts = list(accumulate((span.last for span in self._spans), max))

    def covers(self, span: _Span) -> bool:
        """Whether one part contains all insertions of the span."""
        before = bisect_right(self._firsts, span.first)
        return before > 0 and self._lasts[before - 1] >= span.last

    def rows_inside(self, span: _Span) -> int:
        """Rows of the parts inside the span; parts already merged into another are not counted."""
        rows, reached = 0, span.first - 1
        for inner in self._spans[bisect_left(self._firsts, span.first) :]:
            if inner.first > span.last:
                break
            if reached < inner.last <= span.last:
                rows, reached = rows + inner.rows, inner.last
        return rows


def lost(known: Iterable[Part], found: Iterable[Part], now_s: int) -> list[Part]:
    """The known parts that have not expired and whose rows are in no part found.

    The engine keeps the sources of a merge for a while; they replace a merged part that is broken.
    """
    spans: defaultdict[tuple[str, str], list[_Span]] = defaultdict(list)
    for part in found:
        if read := _read(part):
            spans[read[0]].append(read[1])
    at_hand = {where: _Found(some) for where, some in spans.items()}
    return [
        part for part in known if not 0 < part.expires_s <= now_s and not _is_there(part, at_hand)
    ]


def _is_there(part: Part, found: Mapping[tuple[str, str], _Found]) -> bool:
    read = _read(part)
    if read is None or (at_hand := found.get(read[0])) is None:
        return False
    return at_hand.covers(read[1]) or at_hand.rows_inside(read[1]) >= part.rows > 0


def _read(part: Part) -> tuple[tuple[str, str], _Span] | None:
    """Table and partition, and the span of insertions; None if the name is not that of a part."""
    if (name := _NAME.fullmatch(part.name)) is None:
        return None
    where = part.table, name["partition"]
    return where, _Span(int(name["first"]), int(name["last"]), part.rows)


def on_disk(table: str, folder: Path) -> Iterator[Part]:
    """The parts in the folder of a table, in use or replaced. Blocks on the disk."""
    for part in sorted(folder.iterdir()) if folder.is_dir() else ():
        if _NAME.fullmatch(part.name):
            yield Part(table, part.name, _rows(part))


def _rows(part: Path) -> int:
    try:
        return int((part / "count.txt").read_text())
    except (OSError, ValueError):
        return 0
