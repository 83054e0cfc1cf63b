"""The counters of a post, as they stand at an instant."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class Counters(NamedTuple):
    """None is a counter that Telegram does not show for the post."""

    views: int | None = None
    forwards: int | None = None
    replies: int | None = None
    reactions: Mapping[str, int] | None = None


class CounterSource(Protocol):
    def at(self, now_ms: int) -> Counters:
        """Cheap: called for every post of every answer."""


class FixedCounters:
    """Stay as they are until they are set."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def at(self, now_ms: int) -> Counters:
        return self._counters
