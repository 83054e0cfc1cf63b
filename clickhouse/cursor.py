"""The place in a list of posts where a page ended, as opaque text.

A cursor names the last row, not a number of rows, so that new posts do not shift the pages.
"""

import math
from typing import Annotated

import msgspec

from streams import cursor_text
from streams.cursor_text import InvalidCursor


class Place(msgspec.Struct, frozen=True, array_like=True):
    sort: str
    #: The last row's value of the sort order; -1 for an unknown value, which sorts last.
    place: float
    post_id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


#: Before the first row of every list.
START = (float("inf"), 2**63 - 1)


def write(place: Place) -> str:
    return cursor_text.write(msgspec.msgpack.encode(place))


def read(cursor: str, sort: str) -> Place:
    """Raises InvalidCursor if the text is not a cursor of a list sorted by `sort`."""
    try:
        place = msgspec.msgpack.decode(cursor_text.read(cursor), type=Place)
    except msgspec.DecodeError as error:
        raise InvalidCursor from error
    if math.isnan(place.place):
        raise InvalidCursor
    if place.sort != sort:
        raise InvalidCursor(f"it is of a list sorted by {place.sort}, not by {sort}")
    return place
