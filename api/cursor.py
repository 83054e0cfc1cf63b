"""Cursors: where a client stands in the log, as text that means nothing to the client.

A cursor names, for each partition of analytics.*, the next offset to read and the time of the
record before it. By that time a cursor of another log (a deleted data folder) is told from one of
this log. Its last four bytes are a checksum of the rest.
"""

from collections.abc import Mapping
from typing import Annotated
from zlib import crc32

import msgspec

from streams import cursor_text
from streams.cursor_text import InvalidCursor
from streams.log import Partition, Record
from streams.topics import ALERTS, SCORES, WINDOWS

#: Written as their places here, others as their names. Their order is part of the format: only ever
#: append.
_TOPICS = (WINDOWS.name, ALERTS.name, SCORES.name)
_VERSION = 1
_encoder = msgspec.msgpack.Encoder()


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Where a reader stands in one partition."""

    next: int
    #: The time of the record just before `next`; None where none was read.
    before_ms: int | None = None


Positions = Mapping[Partition, Position]


_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _Row(msgspec.Struct, frozen=True, array_like=True):
    topic: _Count | str
    number: _Count
    next: _Count
    before_ms: int | None


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    version: int
    rows: list[_Row]


_decoder = msgspec.msgpack.Decoder(_Cursor)


def after(record: Record) -> Position:
    return Position(record.offset + 1, record.timestamp_ms)


def encode(positions: Positions) -> str:
    rows = [
        _Row(_shortened(partition.topic), partition.number, position.next, position.before_ms)
        for partition, position in positions.items()
    ]
    data = _encoder.encode(_Cursor(_VERSION, rows))
    return cursor_text.write(data + crc32(data).to_bytes(4, "big"))


def decode(text: str) -> dict[Partition, Position]:
    """Raises InvalidCursor."""
    raw = cursor_text.read(text)
    data, check = raw[:-4], raw[-4:]
    if crc32(data).to_bytes(4, "big") != check:
        raise InvalidCursor("it is damaged")
    try:
        rows = _decoder.decode(data).rows
        return {
            Partition(_named(row.topic), row.number): Position(row.next, row.before_ms)
            for row in rows
        }
    except (msgspec.DecodeError, IndexError) as error:
        raise InvalidCursor("it is of another version of this program") from error


def _shortened(topic: str) -> int | str:
    return _TOPICS.index(topic) if topic in _TOPICS else topic


def _named(topic: int | str) -> str:
    """Raises IndexError."""
    return topic if isinstance(topic, str) else _TOPICS[topic]
