"""What strangers cause, in the log: one line per kind, address and minute, with a count.

The first of a kind is logged at once, with `count=1`; what follows within the minute is counted and
logged together after it. So a flood costs a line a minute, and no flood goes unseen.
"""

import logging
from typing import Final, Literal, NamedTuple, TypeAlias

EVERY_S: Final = 60.0
#: Addresses told apart at the same time; of the others there is one line together.
TOLD_APART: Final = 200
_OTHERS: Final = "others"

What: TypeAlias = Literal["connection", "key", "request"]

_logger = logging.getLogger(__name__)


class Kind(NamedTuple):
    what: What
    #: Empty where it does not matter who it was.
    address: str


class _Kept:
    """What was noted since the last line."""

    def __init__(self, said_s: float) -> None:
        self.said_s = said_s
        self.count = 0
        self.reasons: set[str] = set()

    def add(self, reason: str) -> None:
        self.count += 1
        self.reasons.add(reason)

    def say(self, kind: Kind, now_s: float) -> None:
        about = {"address": kind.address} if kind.address else {}
        reasons = ",".join(sorted(self.reasons))
        fields = {"what": kind.what, "reason": reasons, "count": self.count, **about}
        _logger.warning("clients_refused", extra=fields)
        self.said_s, self.count = now_s, 0
        self.reasons.clear()


class Notices:
    """`sweep` is called about once a second. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._kept: dict[Kind, _Kept] = {}

    def note(self, now_s: float, what: What, reason: str, address: str = "") -> None:
        """`reason` is one of a small set."""
        kind = Kind(what, address)
        if kind not in self._kept and len(self._kept) >= TOLD_APART:
            kind = Kind(what, _OTHERS)
        kept = self._kept.get(kind)
        if kept is not None:
            kept.add(reason)
            return
        kept = self._kept[kind] = _Kept(now_s)
        kept.add(reason)
        kept.say(kind, now_s)

    def sweep(self, now_s: float) -> None:
        for kind, kept in list(self._kept.items()):
            if now_s - kept.said_s < EVERY_S:
                continue
            if kept.count:
                kept.say(kind, now_s)
            else:
                del self._kept[kind]

    def end(self) -> None:
        """Logs what was counted and not logged yet."""
        for kind, kept in self._kept.items():
            if kept.count:
                kept.say(kind, kept.said_s)
        self._kept.clear()
