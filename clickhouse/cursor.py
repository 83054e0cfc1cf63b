"""The place in a list of posts where a page ended, as an opaque text.

It names the last row, not a number of rows, so that new posts do not shift the pages.
"""

import base64
import binascii
import math
from typing import Annotated

import msgspec

from clickhouse.history import QueryFailed


class Place(msgspec.Struct, frozen=True, array_like=True):
    sort: str
    #: What the rows are sorted by; -1 for "not known", which comes last.
    place: float
    post_id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


#: Before the first row of every list.
START = (float("inf"), 2**63 - 1)


def write(place: Place) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("=")


def read(cursor: str, sort: str) -> Place:
    """Raises QueryFailed where the text is no cursor of a list sorted like this."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        data = base64.b64decode(padded, altchars=b"-_", validate=True)
        place = msgspec.msgpack.decode(data, type=Place)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise QueryFailed("cursor: not one that was given out") from error
    if math.isnan(place.place):
        raise QueryFailed("cursor: not one that was given out")
    if place.sort != sort:
        raise QueryFailed(f"cursor: of a list sorted by {place.sort}, not by {sort}")
    return place
