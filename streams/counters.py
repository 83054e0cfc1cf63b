"""The counters of a post: their names, in the one order that columns, tuples and tables keep.

Messages and answers spell their fields, because they are schemas; so does the code that makes a
message for each observation, because that is several times faster than going by the names.
"""

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypedDict, TypeVar

T = TypeVar("T")


class Counters(NamedTuple):
    """Of one post at one instant. None: not said."""

    views: int | None = None
    forwards: int | None = None
    replies: int | None = None
    reactions: int | None = None

    def completed_by(self, other: "Counters") -> "Counters":
        """Those that are not said here are taken from `other`."""
        return Counters(*(b if a is None else a for a, b in zip(self, other, strict=True)))


NAMES = Counters._fields
#: What a window gained of each.
GAINED = tuple(f"{name}_gained" for name in NAMES)
#: The places of the counters.
VIEWS, FORWARDS, REPLIES, REACTIONS = range(len(NAMES))
NOT_SAID = Counters()


class ByName(TypedDict, Generic[T]):
    """To be spread into what has a field for each counter."""

    views: T
    forwards: T
    replies: T
    reactions: T


class GainedByName(TypedDict, Generic[T]):
    """To be spread into what has a field for the gain of each counter."""

    views_gained: T
    forwards_gained: T
    replies_gained: T
    reactions_gained: T


def by_name(counters: Iterable[T]) -> ByName[T]:
    views, forwards, replies, reactions = counters
    return {"views": views, "forwards": forwards, "replies": replies, "reactions": reactions}


def gained_by_name(gains: Iterable[T]) -> GainedByName[T]:
    views, forwards, replies, reactions = gains
    return {
        "views_gained": views,
        "forwards_gained": forwards,
        "replies_gained": replies,
        "reactions_gained": reactions,
    }
