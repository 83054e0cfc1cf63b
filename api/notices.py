"""What strangers cause, in the log: one line per kind, address and minute, with a count.

The first of a kind is logged at once, with `count=1`; what follows within the minute is counted and
logged together after it. So a flood costs a line a minute, and no flood goes unseen.
"""

import logging
from typing import Final, NamedTuple

EVERY_S: Final = 60.0
#: Kinds and addresses told apart at the same time; of the other addresses there is one line.
TOLD_APART: Final = 200
_OTHERS: Final = "others"

_logger = logging.getLogger(__name__)


class Kind(NamedTuple):
    #: connection, request or key.
    what: str
    reason: str
    #: Empty where it does not matter who it was.
    address: str


class _Kept:
    """What was noted since the last line."""

    def __init__(self, said_s: float) -> None:
        self.said_s = said_s
        self.count = 0


class Notices:
    """`sweep` is called about once a second. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._kept: dict[Kind, _Kept] = {}

    def note(self, now_s: float, what: str, reason: str, address: str = "") -> None:
        kind = Kind(what, reason, address)
        if kind not in self._kept and len(self._kept) >= TOLD_APART:
            kind = kind._replace(address=_OTHERS)
        if (kept := self._kept.get(kind)) is not None:
            kept.count += 1
        else:
            self._kept[kind] = _Kept(now_s)
            _say(kind, 1)

    def sweep(self, now_s: float) -> None:
        for kind, kept in list(self._kept.items()):
            if now_s - kept.said_s < EVERY_S:
                continue
            if kept.count:
                _say(kind, kept.count)
                kept.said_s, kept.count = now_s, 0
            else:
                del self._kept[kind]

    def end(self) -> None:
        """Logs what was counted and not logged yet."""
        for kind, kept in self._kept.items():
            if kept.count:
                _say(kind, kept.count)
        self._kept.clear()


def _say(kind: Kind, count: int) -> None:
    fields: dict[str, object] = {"what": kind.what, "reason": kind.reason, "count": count}
    if kind.address:
        fields["address"] = kind.address
    _logger.warning("clients_refused", extra=fields)
