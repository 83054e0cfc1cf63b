"""When dead letters are too many, and what a dead letter says.

What an input did wrong goes to the dead letters however much of it there is: it will not become
right, and must not keep what comes after it from being processed. What this program cannot read, or
was observed after the log appended it, may be in order, and this program or a clock wrong: too much
of that stops the worker.

TooManyDead    most of the last messages could not be processed: a bad deploy must not empty
               the log into its dead letters
"""

from collections import Counter, deque
from itertools import repeat

import msgspec

from agents.engine.reasons import OF_THE_CLOCK, UNREADABLE, DeadReason

#: The option that sets DeadLimit.share.
SHARE_OPTION = "ANALYTICBOT_DEAD_SHARE"


class TooManyDead(Exception):
    """Stops the worker; nothing of the batch that raised it is acknowledged."""


class DeadLimit(msgspec.Struct, frozen=True):
    """How many of the last messages may be dead letters that this program may have caused."""

    #: The number of last messages considered.
    window: int = 200
    #: Fewer dead letters than this never stop the worker.
    least: int = 100
    #: A higher share of them stops it. 1: never.
    share: float = 0.5


class DeadCount:
    """The outcomes of the last messages of one topic."""

    def __init__(self, topic: str, limit: DeadLimit) -> None:
        self._topic = topic
        self._limit = limit
        self._last: deque[DeadReason | None] = deque(maxlen=limit.window)
        self._reasons: Counter[DeadReason | None] = Counter()

    def note_processed(self, messages: int) -> None:
        """So many were processed one after the other."""
        if not self._reasons:
            self._last.extend(repeat(None, min(messages, self._limit.window)))
            return
        for _ in range(messages):
            self._note(None)

    def note_dead(self, reason: DeadReason) -> None:
        """One was put aside. Raises TooManyDead."""
        self._note(reason if reason in _STOPPING else None)

    def _note(self, reason: DeadReason | None) -> None:
        last = self._last
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
                f"({reasons}): {self._advice()} start once with {SHARE_OPTION}=1, which puts "
                f"them into {self._topic}.dead"
            )

    def _advice(self) -> str:
        of_clock = sum(self._reasons[reason] for reason in OF_THE_CLOCK)
        if of_clock * 2 > self._reasons.total():
            return (
                "they were observed after the log appended them, so set the clock of this machine "
                "(on Kafka, of the brokers) right, and"
            )
        return "run the version that wrote them, or a newer one; or"


_STOPPING: frozenset[DeadReason | None] = frozenset(UNREADABLE | OF_THE_CLOCK)


def dead_headers(
    reason: DeadReason, detail: str, topic: str, partition: int, offset: int
) -> dict[str, bytes]:
    """The headers added to a dead letter: reason, detail, and the origin of the whole message."""
    return {
        "reason": reason.encode(),
        "detail": detail.encode()[:500],
        "topic": topic.encode(),
        "partition": b"%d" % partition,
        "offset": b"%d" % offset,
    }
