"""What a source that is told things twice, and late, makes of a stream."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

#: One of so many messages: is repeated at once; comes much later; after it the last come again.
_TWICE, _LATE, _AGAIN = 20, 30, 400
_FAR = 300


def disordered(stream: Sequence[T], chance: random.Random) -> list[T]:
    """All of `stream`, some of it repeated and some of it later than it should be."""
    placed: list[tuple[float, T]] = []
    for place, message in enumerate(stream):
        late = chance.randrange(_LATE) == 0
        placed.append((place + (chance.uniform(1, _FAR) if late else 0), message))
        if chance.randrange(_TWICE) == 0:
            placed.append((place + 0.5, message))
        if chance.randrange(_AGAIN) == 0:
            last = stream[max(place - _FAR, 0) : place + 1]
            placed += [(place + 0.6, again) for again in last]
    placed.sort(key=lambda each: each[0])
    return [message for _, message in placed]
