"""Parts of MergeTree tables: what a folder has of them, and which are gone. Pure but for reading.

A part is named PARTITION_FIRST_LAST_LEVEL, by the insertions that it holds; a merged one replaces
those whose insertions it holds all.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

_NAME = re.compile(r"(?P<partition>[^_]+)_(?P<first>\d+)_(?P<last>\d+)_\d+(_\d+)?")


class Part(msgspec.Struct, frozen=True):
    table: str
    name: str
    rows: int
    #: When the last of its rows expires, in seconds of UTC; 0: never.
    expires_s: int = 0

    def covers(self, other: "Part") -> bool:
        """Whether all insertions of the other are in it."""
        own, others = _NAME.fullmatch(self.name), _NAME.fullmatch(other.name)
        return (
            own is not None
            and others is not None
            and (self.table, own["partition"]) == (other.table, others["partition"])
            and int(own["first"]) <= int(others["first"])
            and int(own["last"]) >= int(others["last"])
        )


def lost(known: Iterable[Part], found: Iterable[Part], now_s: int) -> list[Part]:
    """Those that were known, have not expired, and whose rows are in nothing that was found.

    What a part was merged of stays for a while, and takes its place where it is broken.
    """
    at_hand = list(found)
    return [part for part in known if not _is_there(part, at_hand, now_s)]


def _is_there(part: Part, found: list[Part], now_s: int) -> bool:
    if any(other.covers(part) for other in found):
        return True
    if part.expires_s and part.expires_s <= now_s:
        return True
    inside = [other for other in found if part.covers(other)]
    newest = [each for each in inside if not any(o.covers(each) for o in inside if o != each)]
    return sum(each.rows for each in newest) >= part.rows > 0


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
