"""The offset of a partition that may be committed: everything below it was acknowledged.

Faust's compiled streams write acknowledgements directly into two mappings of the consumer, without
a call, so the classes here replace the list and the set in these mappings.
"""

from collections import defaultdict
from collections.abc import Callable
from itertools import takewhile

from faust.types import TP

from streams.faust.effects import Standing


class Unacked:
    """The delivered messages of one partition, in order, until they are acknowledged.

    Offsets may have gaps: only delivered messages count.
    """

    def __init__(self, on_ack: Callable[[int], bool]) -> None:
        #: Called with the size of each acknowledged message; False: ignore the acknowledgement.
        self._on_ack = on_ack
        self._sizes: dict[int, int] = {}
        self._acked: set[int] = set()
        #: The newest offset chosen for a commit.
        self._taken = 0

    def deliver(self, offset: int, size: int) -> None:
        self._sizes[offset] = size

    def append(self, offset: int) -> None:
        """Acknowledge an offset. Faust calls it by this name."""
        if offset in self._sizes and self._on_ack(self._sizes[offset]):
            self._acked.add(offset)

    def standing(self, offset: int) -> Standing:
        """Add a delivered message."""
        if offset in self._sizes:
            return Standing.OPEN
        return Standing.DONE if offset < self._taken else Standing.STALE

    def take_committable(self) -> int | None:
        """The next offset to commit: every message below it is acknowledged. None: no change."""
        done = list(takewhile(self._acked.__contains__, self._sizes))
        if not done:
            return None
        for offset in done:
            del self._sizes[offset]
        self._acked.difference_update(done)
        self._taken = done[-1] + 1
        return self._taken


class UnackedByPartition(dict[TP, Unacked]):
    def __init__(self, on_ack: Callable[[int], bool]) -> None:
        super().__init__()
        self._on_ack = on_ack

    def __missing__(self, tp: TP) -> Unacked:
        self[tp] = Unacked(self._on_ack)
        return self[tp]

    def pop(self, tp: TP, *_default: object) -> None:  # type: ignore[override]
        """Does nothing: Faust drops acknowledgements of revoked partitions before their commit.

        The effects of those messages would be committed without them, and made again.
        """


class _Nothing(set[int]):
    """Faust's index of acknowledged offsets: unused, always empty."""

    def add(self, element: int) -> None: ...


def no_index() -> defaultdict[TP, set[int]]:
    return defaultdict(_Nothing)
