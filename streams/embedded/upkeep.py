"""Upkeep: retention and compaction, in short steps on the writer's thread."""

from collections.abc import Callable, Iterator

from streams.clock import Clock
from streams.database import Database
from streams.embedded.compaction import Compaction, due
from streams.embedded.partition import PartitionState, TopicState
from streams.embedded.retention import trim
from streams.embedded.settings import Settings
from streams.log import Partition


class Upkeep:
    """Called by the writer, on its thread; works through all partitions, again and again."""

    def __init__(
        self,
        database: Database,
        topics: dict[str, TopicState],
        settings: Settings,
        clock: Clock,
        compacted: Callable[[Partition], None],
    ) -> None:
        """`compacted` is called on the writer's thread after each pass over a partition."""
        self._database = database
        self._topics = topics
        self._settings = settings
        self._clock = clock
        self._compacted = compacted
        self._round = self._new_round()

    def step(self) -> float:
        """One short step. Returns the seconds until the next step should follow at the earliest.

        Raises LogError.
        """
        with self._database.named():
            for _ in self._round:
                return 0.0
        self._round = self._new_round()
        return self._settings.upkeep_interval_ms / 1000

    def _new_round(self) -> Iterator[None]:
        self._database.note()
        for topic in list(self._topics.values()):
            for state in topic.partitions:
                yield from trim(self._database, state, self._clock.now_ms())
                while due(state, self._settings):
                    yield from self._compaction(state).run()
                    self._compacted(state.partition)

    def _compaction(self, state: PartitionState) -> Compaction:
        return Compaction(self._database, state, self._settings, self._clock.now_ms())
