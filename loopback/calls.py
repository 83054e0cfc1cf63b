"""The journal of calls, by account, method and time, and of forbidden ones."""

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, NamedTuple

#: The journal drops older calls, because a demo runs for days; `count` includes them.
MAX_CALLS = 2_000
MAX_VIOLATIONS = 100


class Call(NamedTuple):
    #: The world's time.
    at_ms: int
    #: None before signing in.
    user_id: int | None
    #: For example ``messages.getHistory``.
    method: str
    #: Telethon's request object.
    request: Any
    #: The error in the answer; ``cut`` if the connection was cut instead.
    error: str | None


class NotStrict(AssertionError):
    """A client made unknown or forbidden calls, which the message lists."""


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
        """Raises NotStrict if any call was unknown or forbidden."""
        if self.violations:
            raise NotStrict("; ".join(self.violations))
