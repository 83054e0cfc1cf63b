"""Creates the topics that ordinary apps declare, and knows their numbers of partitions.

`migrate` makes the engine's topics, all with the same number of partitions.
"""

import asyncio
from collections.abc import Iterable
from functools import partial

from streams.kafka.brokers import Brokers
from streams.kafka.settings import KafkaSettings
from streams.kafka.topic_creation import make
from streams.topics import Topic


class Declarations:
    """Called from the event loop only. Raises what connecting raises, and LogError."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._brokers: Brokers | None = None
        self._counts: dict[str, int] = {}
        self._asking = asyncio.Lock()

    def partitions(self, topic: str) -> int | None:
        """The partitions of a topic, if they were requested before."""
        return self._counts.get(topic)

    async def learn(self, topic: str) -> None:
        """Request the number of partitions of a topic, once."""
        if topic not in self._counts:
            async with self._asking:
                if found := await self._found(topic):
                    self._counts[topic] = found

    async def make(self, topics: Iterable[Topic], partitions: int) -> None:
        """Create missing topics; existing ones stay unchanged."""
        async with self._asking:
            for topic in topics:
                if topic.name not in self._counts and not await self._found(topic.name):
                    brokers = await self._connected()
                    await brokers.insist(partial(make, brokers, topic, partitions, {}))

    async def close(self) -> None:
        brokers, self._brokers = self._brokers, None
        if brokers is not None:
            await brokers.close()

    async def _found(self, topic: str) -> int:
        brokers = await self._connected()
        return len(await brokers.insist(partial(brokers.partitions, topic)))

    async def _connected(self) -> Brokers:
        if self._brokers is None:
            self._brokers = await Brokers.connect(self._settings)
        return self._brokers
