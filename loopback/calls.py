"""The journal: which account called which method when, and what is forbidden to call."""

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, NamedTuple

#: Older calls are forgotten (a demo runs for days); `count` knows them all the same.
MAX_CALLS = 2_000
MAX_VIOLATIONS = 100


class Call(NamedTuple):
    #: The world's time.
    at_ms: int
    #: None: not signed in.
    user_id: int | None
    #: As ``messages.getHistory``.
    method: str
    #: Telethon's request object.
    request: Any
    #: The error it was answered with; ``cut`` for none at all.
    error: str | None


class NotStrict(AssertionError):
    """A client did what the loopback Telegram does not know or forbids; the message lists it."""


class Calls:
    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=MAX_CALLS)
        self._counts: Counter[str] = Counter()
        #: Unknown methods and forbidden parameters, one line each.
        self.violations: list[str] = []

    def __iter__(self) -> Iterator[Call]:
        return iter(tuple(self._calls))

    def __len__(self) -> int:
        return self._counts.total()

    def of(self, method: str) -> list[Call]:
        return [call for call in self._calls if call.method == method]

    def count(self, method: str) -> int:
        return self._counts[method]

    def record(self, call: Call) -> None:
        self._calls.append(call)
        self._counts[call.method] += 1

    def violate(self, line: str) -> None:
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(line)

    def assert_strict(self) -> None:
        """Raises NotStrict where anything was unknown or forbidden."""
        if self.violations:
            raise NotStrict("; ".join(self.violations))
