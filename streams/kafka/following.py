"""One subscription: a long poll at every broker that leads one of its partitions.

It uses separate connections, because a waiting poll occupies its connection.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import islice

from aiokafka.errors import (
    KafkaError,
    LeaderNotAvailableError,
    OffsetOutOfRangeError,
)

from streams.kafka.brokers import END, FIRST, PATIENCE_S, Brokers
from streams.kafka.failures import is_passing, log_error
from streams.kafka.fetching import Fetched, Refused, fetch
from streams.log import Batch, LogError, OffsetTooOld, Partition

_WAIT_MS = 500
#: How often to look for a missing topic or leader.
_LOOK_S = 0.1

_Polls = dict["asyncio.Task[list[Fetched | Refused]]", Sequence[Partition]]


class Following:
    """Run `batches` once; always call `stop`, which closes its connections."""

    def __init__(
        self,
        brokers: Brokers,
        topics: Sequence[str],
        positions: dict[Partition, int],
        max_records: int,
        *,
        only: bool = False,
    ) -> None:
        """`only`: just the partitions in `positions`; else also others, from their first record."""
        self._only = only
        self._brokers = brokers
        self._missing = list(dict.fromkeys(topics))
        self._start = positions
        self._positions: dict[Partition, int] = {}
        self._max_records = max_records
        self._polls: _Polls = {}
        #: Since when each unreachable partition has been unreachable.
        self._away: dict[Partition, float] = {}

    async def stop(self) -> None:
        polls, self._polls = list(self._polls), {}
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)
        await self._brokers.close()

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Raises OffsetTooOld, LogUnavailable, LogDamaged and LogError."""
        try:
            while True:
                await self._look()
                self._poll()
                waits = None if not self._missing and not self._away and self._polls else _LOOK_S
                if self._polls:
                    await asyncio.wait(
                        self._polls, timeout=waits, return_when=asyncio.FIRST_COMPLETED
                    )
                else:
                    await asyncio.sleep(_LOOK_S)
                for poll in [poll for poll in self._polls if poll.done()]:
                    partitions = self._polls.pop(poll)
                    for answer in self._answers(poll, partitions):
                        if isinstance(answer, Refused):
                            await self._refused(answer)
                            continue
                        for batch in self._batches(answer):
                            yield batch
        finally:
            await self.stop()

    async def _look(self) -> None:
        """Looks for missing topics, and for new leaders of unreachable partitions."""
        if self._away:
            # Runs while reachable partitions are polled.
            await self._brokers.refresh(_LOOK_S)
        for topic in list(self._missing):
            partitions = await self._brokers.insist(lambda: self._brokers.partitions(topic))  # noqa: B023
            if partitions:
                self._missing.remove(topic)
            for partition in partitions:
                if partition in self._start or not self._only:
                    self._positions[partition] = self._start.get(partition, 0)

    def _poll(self) -> None:
        """Starts a poll at every leader of partitions that are not being polled."""
        busy = {partition for polled in self._polls.values() for partition in polled}
        by_leader: dict[int, list[Partition]] = {}
        for partition in self._positions.keys() - busy:
            try:
                by_leader.setdefault(self._brokers.leader(partition), []).append(partition)
            except LeaderNotAvailableError as error:
                self._mark_away(partition, error)
        for node, partitions in by_leader.items():
            positions = {partition: self._positions[partition] for partition in partitions}
            coming = fetch(self._brokers, node, positions, wait_ms=_WAIT_MS)
            self._polls[asyncio.create_task(coming)] = partitions

    def _answers(
        self, poll: "asyncio.Task[list[Fetched | Refused]]", partitions: Sequence[Partition]
    ) -> list[Fetched | Refused]:
        try:
            return poll.result()
        except (KafkaError, OSError) as error:
            return [Refused(partition, error) for partition in partitions]

    def _batches(self, fetched: Fetched) -> Iterator[Batch]:
        self._away.pop(fetched.partition, None)
        try:
            while records := list(islice(fetched.records, self._max_records)):
                yield Batch(fetched.partition, records)
        except KafkaError as error:
            raise log_error(error, self._brokers.settings) from error
        # Markers may follow the last record: do not fetch them again.
        self._positions[fetched.partition] = fetched.records.next_fetch_offset

    async def _refused(self, refused: Refused) -> None:
        """Raises errors that retries cannot mend, or have not mended within the patience."""
        partition, error = refused
        if isinstance(error, OffsetOutOfRangeError):
            await self._out_of_range(partition)
        if not is_passing(error) and not isinstance(error, OffsetOutOfRangeError):
            raise log_error(error, self._brokers.settings) from error
        self._mark_away(partition, error)

    async def _out_of_range(self, partition: Partition) -> None:
        offset = self._positions[partition]
        brokers = self._brokers
        floor = (await brokers.insist(lambda: brokers.offsets([partition], FIRST)))[partition]
        if offset < floor:
            raise OffsetTooOld(partition, offset, floor)

    def _mark_away(self, partition: Partition, error: Exception) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._away.setdefault(partition, now) < PATIENCE_S:
            return
        if isinstance(error, OffsetOutOfRangeError):
            raise LogError(f"{partition}: {self._positions[partition]} is beyond the end")
        raise log_error(error, self._brokers.settings)


async def ends(brokers: Brokers, topics: Sequence[str]) -> dict[Partition, int]:
    """The start of a subscription without offsets. Missing topics have none."""
    found: dict[Partition, int] = {}
    for topic in topics:
        if partitions := await brokers.partitions(topic):
            found |= await brokers.offsets(partitions, END)
    return found
