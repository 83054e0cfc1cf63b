"""OffsetRanges as the text of a commit, at most 4096 bytes.

    1 telegram.updates 0:100+20 3:7+1 analytics.windows 0:5+2

The first word is the version of the format.
"""

import re

from streams.log import OffsetRange, OffsetRanges, Partition

_VERSION = "1"
_SPAN = re.compile(r"(\d+):(\d+)\+(\d+)")


def write_ranges(ranges: OffsetRanges) -> str:
    words = [_VERSION]
    topic = ""
    for partition, range_ in sorted(ranges.items()):
        if partition.topic != topic:
            topic = partition.topic
            words.append(topic)
        words.append(f"{partition.number}:{range_.first}+{range_.next - range_.first}")
    return " ".join(words)


def read_ranges(text: str) -> OffsetRanges:
    """Empty for a text of another format."""
    version, *words = text.split(" ")
    ranges: dict[Partition, OffsetRange] = {}
    topic = ""
    for word in words if version == _VERSION else ():
        if found := _SPAN.fullmatch(word):
            number, first, count = map(int, found.groups())
            ranges[Partition(topic, number)] = OffsetRange(first, first + count)
        else:
            topic = word
    return ranges
