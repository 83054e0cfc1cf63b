"""Runs the fold of telegram.updates: reads rows, runs the pure steps, writes rows and outputs."""

from collections.abc import Iterable
from typing import Any

from agents.engine.cache import RowCache
from agents.engine.decision import Decision
from agents.engine.ports import Ports
from agents.updates.buckets import Bucket
from agents.updates.fold import fold_update
from streams.codec import encode
from streams.context import Task
from streams.events import Event, samples_of
from streams.log import Record
from streams.topics import channel_key


class UpdatesHandler:
    """Implements Handler. A message changes several rows: its channel's row and its posts' rows."""

    def __init__(self, decision: Decision, ports: Ports) -> None:
        self._stage = decision.name
        self._steps = decision.steps
        self._channels = ports.rows["channels"]
        self._posts = ports.rows["posts"]
        self._shelves = ports.rows["shelves"]
        [windows] = decision.sends
        self._windows = ports.sender(windows)
        self._metrics = ports.metrics
        self._clock = ports.clock
        self._watermarks = ports.watermarks

    def fold(self, task: Task, record: Record, message: Event) -> None:
        key = channel_key(message.channel_id)
        channel = self._channels.get(task, key)
        buckets = _Buckets(self._posts, task, key)
        folded = fold_update(channel, buckets, message, record.offset, self._steps)
        at_ms = record.timestamp_ms
        for output in folded.outputs:
            self._windows(task, key, encode(output), message.observed_at_ms)
        for number in folded.touched:
            self._posts.put(task, buckets.key(number), buckets[number], at_ms)
        if folded.changed:
            self._channels.put(task, key, channel, at_ms)
        if folded.touched:
            self._shelve(task, key, folded.touched, channel.watermark_ms, at_ms)
        self._metrics.sent(self._stage, len(folded.outputs))
        for reason, amount in folded.handled.items():
            self._metrics.dropped(self._stage, reason, amount)
        if samples := samples_of(message):
            self._metrics.samples(self._stage, samples)
        self._watermarks.put(task, message.channel_id, channel.watermark_ms)

    def measure(self, record: Record) -> None:
        """Report the delay from the record's timestamp to its windows, without their commit.

        Called once per batch, after the fold, with the batch's first record.
        """
        way_ms = self._clock.now_ms() - record.timestamp_ms
        self._metrics.arrived("window", way_ms / 1000 / self._clock.speed)

    def _shelve(
        self, task: Task, key: bytes, touched: Iterable[int], watermark_ms: int, at_ms: int
    ) -> None:
        """Record which buckets are in use, and drop those unused for 90 days."""
        shelf = self._shelves.get(task, key)
        moved = shelf.touch(touched, watermark_ms)
        for number in shelf.sweep(watermark_ms):
            self._posts.drop(task, _bucket_key(key, number), at_ms)
            moved = True
        if moved:
            self._shelves.put(task, key, shelf, at_ms)


class _Buckets(dict[int, Bucket]):
    """The buckets of one channel, read from the table on first access."""

    def __init__(self, posts: RowCache[Any], task: Task, channel: bytes) -> None:
        super().__init__()
        self._posts = posts
        self._task = task
        self._channel = channel

    def key(self, number: int) -> bytes:
        return _bucket_key(self._channel, number)

    def __missing__(self, number: int) -> Bucket:
        bucket: Bucket = self._posts.get(self._task, self.key(number))
        self[number] = bucket
        return bucket


def _bucket_key(channel: bytes, number: int) -> bytes:
    return b"%b/%d" % (channel, number)
