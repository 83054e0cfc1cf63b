"""How often a wrong key may be tried: from one address, and in total."""

from collections import Counter
from typing import Final

EVERY_S: Final = 60.0
PER_ADDRESS: Final = 10
TOTAL: Final = 300
#: Addresses told apart within a minute.
_ADDRESSES_AT_MOST: Final = 10_000


class Tries:
    """Pure: the time is passed in, in seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._until_s = 0.0
        self._failed: Counter[str] = Counter()
        self._total = 0

    def failed(self, address: str, now_s: float) -> float | None:
        """Counts a failed try; after how many seconds the next may come, None: at once."""
        if now_s >= self._until_s:
            self._until_s = now_s + EVERY_S
            self._failed.clear()
            self._total = 0
        self._total += 1
        if address in self._failed or len(self._failed) < _ADDRESSES_AT_MOST:
            self._failed[address] += 1
        many = self._failed[address] > PER_ADDRESS or self._total > TOTAL
        return self._until_s - now_s if many else None
