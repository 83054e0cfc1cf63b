"""Parts of MergeTree tables: what a folder has of them, and which are gone. Pure but for reading.

A part is named PARTITION_FIRST_LAST_LEVEL, by the insertions that it holds; a merged one replaces
those whose insertions it holds all.
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
    #: When the last of its rows expires, in seconds of UTC; 0: never.
    expires_s: int = 0


class _Span(NamedTuple):
    """The insertions that a part holds, and how many rows."""

    first: int
    last: int
    rows: int


class _Found:
    """Parts of one partition of a table, asked for the insertions that they hold."""

    def __init__(self, spans: Iterable[_Span]) -> None:
        #: Of those with the same first insertion, the largest first.
        self._spans = sorted(spans, key=lambda span: (span.first, -span.last))
        self._firsts = [span.first for span in self._spans]
        #: The latest insertion of the spans up to each.
        self._lasts = list(accumulate((span.last for span in self._spans), max))

    def covers(self, span: _Span) -> bool:
        """Whether all insertions of the span are in one part."""
        before = bisect_right(self._firsts, span.first)
        return before > 0 and self._lasts[before - 1] >= span.last

    def rows_inside(self, span: _Span) -> int:
        """Of the parts that a part was merged of, without those that these were merged of."""
        rows, reached = 0, span.first - 1
        for inner in self._spans[bisect_left(self._firsts, span.first) :]:
            if inner.first > span.last:
                break
            if reached < inner.last <= span.last:
                rows, reached = rows + inner.rows, inner.last
        return rows


def lost(known: Iterable[Part], found: Iterable[Part], now_s: int) -> list[Part]:
    """Those that were known, have not expired, and whose rows are in nothing that was found.

    What a part was merged of stays for a while, and takes its place where it is broken.
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
    """Table and partition, and the insertions; None for a name that is no part's."""
    if (name := _NAME.fullmatch(part.name)) is None:
        return None
    where = part.table, name["partition"]
    return where, _Span(int(name["first"]), int(name["last"]), part.rows)


def on_disk(table: str, folder: Path) -> Iterator[Part]:
    """The parts in the folder of a table, whether in use or replaced."""
    for part in sorted(folder.iterdir()) if folder.is_dir() else ():
        if _NAME.fullmatch(part.name):
            yield Part(table, part.name, _rows(part))


def _rows(part: Path) -> int:
    try:
        return int((part / "count.txt").read_text())
    except (OSError, ValueError):
        return 0
