"""Which offset of a partition may be committed: everything below it has been acknowledged.

Faust's streams write acknowledgements straight into two mappings of the consumer (their compiled
code does not call it), so the classes here stand in for the list and the set that are found there.
"""

from collections import defaultdict
from collections.abc import Callable
from itertools import takewhile

from faust.types import TP

from streams.faust.effects import Standing


class Unacked:
    """The messages of one partition that were delivered, in order, until they are acknowledged.

    Offsets may have gaps: what counts is what was delivered.
    """

    def __init__(self, on_ack: Callable[[int], bool]) -> None:
        #: Told the size of each message that is acknowledged; False makes it not count.
        self._on_ack = on_ack
        self._sizes: dict[int, int] = {}
        self._acked: set[int] = set()
        #: The newest offset that was taken for a commit.
        self._taken = 0

    def deliver(self, offset: int, size: int) -> None:
        self._sizes[offset] = size

    def append(self, offset: int) -> None:
        """An acknowledgement. The name is Faust's."""
        if offset in self._sizes and self._on_ack(self._sizes[offset]):
            self._acked.add(offset)

    def standing(self, offset: int) -> Standing:
        """Of a message of this partition."""
        if offset in self._sizes:
            return Standing.OPEN
        return Standing.DONE if offset < self._taken else Standing.STALE

    def take_committable(self) -> int | None:
        """The offset after the last message before which none is unacknowledged; None: no news."""
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
        """Nothing. Faust forgets what it is about to lose before that was committed.

        What the messages made would be committed without them, and be made again.
        """


class _Nothing(set[int]):
    """Faust's index of what is acknowledged, which nobody needs here: it stays empty."""

    def add(self, element: int) -> None: ...


def no_index() -> defaultdict[TP, set[int]]:
    return defaultdict(_Nothing)
