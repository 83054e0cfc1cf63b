"""Cursors of lists that are cut here: how many rows were given out, and up to when they reached."""

from collections.abc import Sequence
from typing import Annotated, Generic, NamedTuple, TypeVar

import msgspec

from api.times import LATEST_MS
from streams import cursor_text
from streams.cursor_text import InvalidCursor

T = TypeVar("T")

#: Beyond it a list is to be narrowed by its range instead.
ROWS_AT_MOST = 100_000


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where the next page of a list starts."""

    start: Annotated[int, msgspec.Meta(ge=0, le=ROWS_AT_MOST)] = 0
    #: The end of the range that the first page had, so that later pages are of the same list.
    to_ms: Annotated[int, msgspec.Meta(ge=1, lt=LATEST_MS)] | None = None


class Slice(NamedTuple, Generic[T]):
    rows: Sequence[T]
    cursor: str | None


_decoder = msgspec.msgpack.Decoder(Place)


def read(cursor: str | None) -> Place:
    """Raises InvalidCursor where the text is no cursor of a list."""
    if cursor is None:
        return Place()
    try:
        return _decoder.decode(cursor_text.read(cursor))
    except msgspec.DecodeError as error:
        raise InvalidCursor from error


def cut(rows: Sequence[T], place: Place, limit: int, to_ms: int | None = None) -> Slice[T]:
    """A page of `rows`, which start at the list's first and hold one more than is given out."""
    end = place.start + limit
    following = Place(end, to_ms) if len(rows) > end else None
    return Slice(rows[place.start : end], None if following is None else _text(following))


def _text(place: Place) -> str:
    return cursor_text.write(msgspec.msgpack.encode(place))
