"""When dead letters are too many, and what a dead letter says.

TooManyDead    most of the last messages could not be processed: a bad deploy must not empty
               the log into its dead letters
"""

from collections import Counter, deque

import msgspec

from agents.reasons import DeadReason


class TooManyDead(Exception):
    """Stop the worker; nothing of the message that raised this is acknowledged."""


class DeadLimit(msgspec.Struct, frozen=True):
    """How many of the last messages may be dead letters."""

    #: How many messages are looked at.
    window: int = 200
    #: Fewer dead letters than this never stop the worker.
    least: int = 100
    #: More than this share of the messages looked at stop it.
    share: float = 0.5


class DeadCount:
    """The outcomes of the last messages of one topic."""

    def __init__(self, topic: str, limit: DeadLimit) -> None:
        self._topic = topic
        self._limit = limit
        self._last: deque[DeadReason | None] = deque(maxlen=limit.window)
        self._reasons: Counter[DeadReason | None] = Counter()

    def note(self, reason: DeadReason | None) -> None:
        """Called once a message; None for one that was processed. Raises TooManyDead."""
        last = self._last
        if reason is None and not self._reasons:
            last.append(None)
            return
        if len(last) == last.maxlen and (oldest := last[0]) is not None:
            self._forget(oldest)
        last.append(reason)
        if reason is not None:
            self._reasons[reason] += 1
            self._check()

    def _forget(self, reason: DeadReason) -> None:
        self._reasons[reason] -= 1
        if not self._reasons[reason]:
            del self._reasons[reason]

    def _check(self) -> None:
        dead, seen = self._reasons.total(), len(self._last)
        if dead >= self._limit.least and dead > self._limit.share * seen:
            reasons = ", ".join(f"{reason} {count}" for reason, count in self._reasons.items())
            raise TooManyDead(
                f"{dead} of the last {seen} messages of {self._topic} cannot be processed "
                f"({reasons}): is this program older than what writes them?"
            )


def dead_headers(
    reason: DeadReason, detail: str, topic: str, partition: int, offset: int
) -> dict[str, bytes]:
    """What is added to the headers of a message on its way to the dead letters."""
    return {
        "reason": reason.encode(),
        "detail": detail.encode()[:500],
        "topic": topic.encode(),
        "partition": b"%d" % partition,
        "offset": b"%d" % offset,
    }
