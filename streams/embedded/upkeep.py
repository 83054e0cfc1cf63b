"""Upkeep: retention and compaction, in short steps on the writer's thread."""

from streams.clock import Clock
from streams.embedded.database import Database
from streams.embedded.partition import TopicState
from streams.embedded.settings import Settings


class Upkeep:
    def __init__(
        self, database: Database, topics: dict[str, TopicState], settings: Settings, clock: Clock
    ) -> None:
        self._settings = settings

    def step(self) -> float:
        """One short step. Returns how many seconds later the next should follow."""
        return self._settings.upkeep_interval_ms / 1000
