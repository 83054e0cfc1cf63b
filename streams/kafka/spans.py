"""Spans as the text that a commit carries beside its offset, 4096 bytes at most.

    1 telegram.updates 0:100+20 3:7+1 analytics.windows 0:5+2

The first word is the version of this.
"""

import re

from streams.log import Partition, Span, Spans

_VERSION = "1"
_SPAN = re.compile(r"(\d+):(\d+)\+(\d+)")


def write_spans(spans: Spans) -> str:
    words = [_VERSION]
    topic = ""
    for partition, span in sorted(spans.items()):
        if partition.topic != topic:
            topic = partition.topic
            words.append(topic)
        words.append(f"{partition.number}:{span.first}+{span.next - span.first}")
    return " ".join(words)


def read_spans(text: str) -> Spans:
    """Empty for what this did not write."""
    version, *words = text.split(" ")
    spans: dict[Partition, Span] = {}
    topic = ""
    for word in words if version == _VERSION else ():
        if found := _SPAN.fullmatch(word):
            number, first, count = map(int, found.groups())
            spans[Partition(topic, number)] = Span(first, first + count)
        else:
            topic = word
    return spans
