"""The counters of a post at an instant."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class Counters(NamedTuple):
    """None: Telegram does not show this counter for the post."""

    views: int | None = None
    forwards: int | None = None
    replies: int | None = None
    reactions: Mapping[str, int] | None = None


class CounterSource(Protocol):
    def at(self, now_ms: int) -> Counters:
        """Called for every post of every answer, so it must be fast."""


class FixedCounters:
    """Counters that do not change over time."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def at(self, now_ms: int) -> Counters:
        return self._counters
