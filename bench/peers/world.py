"""The events that all engines fold, the messages they come in, and what must be found."""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.peers.job import CLOSING, PARTITIONS, Event, Frame
from streams.ids import ChannelId
from streams.partitioner import partition_of
from streams.topics import channel_key
from streams.units import HOUR_MS, MINUTE_MS

START_MS = 1_760_000_040_000
PER_MINUTE = 100_000
#: So much earlier than its place an event may be.
JITTER_MS = 2_000
FRAME = 500

Numbers = NDArray[np.int64]


class World:
    """Increments of so many channels in the order observed.

    The n-th most viewed channel has one n-th as many as the first. A shorter world is the
    beginning of a longer one. A channel is in the partition that Kafka's clients choose for it.
    """

    def __init__(self, channels: int, events: int) -> None:
        chance = np.random.default_rng(7)
        share = 1 / np.arange(1, channels + 1)
        # Drawn in pieces, so that the length does not change what comes first.
        pieces = [self._piece(chance, share / share.sum()) for _ in range(0, events, PER_MINUTE)]
        ids = np.random.default_rng(8).permutation(channels)
        columns = (np.concatenate(column)[:events] for column in zip(*pieces, strict=True))
        ranks, early, increments = columns
        self.channels: Numbers = ids[ranks]
        self.at_ms: Numbers = START_MS + np.arange(events) * MINUTE_MS // PER_MINUTE - early
        self.increments: Numbers = increments
        keys = (channel_key(ChannelId(channel)) for channel in range(channels))
        self._partition = np.array([partition_of(key, PARTITIONS) for key in keys])

    @staticmethod
    def _piece(chance: np.random.Generator, share: NDArray[np.float64]) -> tuple[Numbers, ...]:
        return (
            chance.choice(len(share), PER_MINUTE, p=share),
            chance.integers(0, JITTER_MS, PER_MINUTE),
            chance.geometric(0.02, PER_MINUTE),
        )

    def frames(self, partition: int) -> Iterator[tuple[bytes, bytes, int]]:
        """Key, value and time in ms of each message, as frames."""
        key = b"%d" % partition
        mine = np.flatnonzero(self._partition[self.channels] == partition)
        for start in range(0, len(mine), FRAME):
            some = mine[start : start + FRAME]
            at_ms = self.at_ms[some].tolist()
            frame = Frame(self.channels[some].tolist(), at_ms, self.increments[some].tolist())
            yield key, msgspec.msgpack.encode(frame), max(at_ms)
        last = self._last(partition)
        closing = Frame([last.channel], [last.at_ms], [last.increment])
        yield key, msgspec.msgpack.encode(closing), last.at_ms

    def events(self, partition: int) -> Iterator[tuple[bytes, bytes, int]]:
        """Key, value and time in ms of each message, one event each."""
        mine = self._partition[self.channels] == partition
        columns = (self.channels[mine], self.at_ms[mine], self.increments[mine])
        events = map(Event, *(column.tolist() for column in columns))
        for event in (*events, self._last(partition)):
            yield channel_key(ChannelId(event.channel)), msgspec.json.encode(event), event.at_ms

    def _last(self, partition: int) -> Event:
        return Event(CLOSING + partition, int(self.at_ms.max()) + HOUR_MS, 0)

    def truth(self) -> Numbers:
        """The rows that must be found, in order."""
        keys = self.channels << 32 | self.at_ms // MINUTE_MS
        order = np.argsort(keys, kind="stable")
        keys, increments = keys[order], self.increments[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        return np.column_stack(
            (
                keys[first] >> 32,
                keys[first] & 0xFFFF_FFFF,
                np.diff(first, append=len(keys)),
                np.add.reduceat(increments, first),
                np.maximum.reduceat(increments, first),
            )
        )
