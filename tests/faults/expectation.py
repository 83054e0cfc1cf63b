"""What must lie in the log: the pure steps over its messages as they lie, each once, in order.

Neither Faust nor transactions take part. An update's outputs go to the partition it came from, so
that each partition of analytics.windows has one right order; and alerts follow from the windows as
they lie, because a row of spikes holds the offset of the window that it has seen last.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from agents.engine.reasons import Rejected
from agents.engine.step_context import StepContext
from agents.spikes.row import Spikes
from agents.spikes.rule import put_spikes
from agents.updates.buckets import NewBuckets, Shelf
from agents.updates.channel import Channel
from agents.updates.check import read_event
from agents.updates.fold import fold_update
from streams import topics
from streams.analytics import ActivityWindow, Alert
from streams.codec import BroadcastFound, Undecodable, decode_analytics, encode
from streams.events import Event
from streams.log import Log, Partition, Record
from streams.topics import channel_key
from tables.rows import encode_row
from tests.faults.left import Left, Message, lying

Tables = dict[str, dict[bytes, bytes]]


async def expected(log: Log) -> Left:
    tables: Tables = {}
    outputs: dict[Partition, Sequence[Message]] = {}
    dead = dict.fromkeys((topics.UPDATES.name, topics.WINDOWS.name), 0)
    updates, windows = Updates(), Windows()
    for (_, number), records in (await lying(log, topics.UPDATES.name)).items():
        outputs[Partition(topics.WINDOWS.name, number)] = list(updates.fold(records))
    for (_, number), records in (await lying(log, topics.WINDOWS.name)).items():
        outputs[Partition(topics.ALERTS.name, number)] = list(windows.fold(records))
    dead[topics.UPDATES.name] = updates.dead
    dead[topics.WINDOWS.name] = windows.dead
    tables = {**updates.tables(), **windows.tables()}
    return Left(tables=tables, outputs=outputs, dead=dead)


class Updates:
    """telegram.updates, folded."""

    def __init__(self) -> None:
        self._channels: defaultdict[bytes, Channel] = defaultdict(Channel)
        self._buckets: defaultdict[bytes, NewBuckets] = defaultdict(NewBuckets)
        self._shelves: defaultdict[bytes, Shelf] = defaultdict(Shelf)
        self.dead = 0

    def fold(self, records: Iterable[Record]) -> Iterator[Message]:
        """What one partition's messages lead to in analytics.windows."""
        for record in records:
            try:
                event, refused = read_event(record)
            except BroadcastFound:
                yield Message(None, record.value or b"", record.timestamp_ms)
                continue
            except Rejected:
                self.dead += 1
                continue
            self.dead += len(refused)
            key = channel_key(event.channel_id)
            # Under a wrong key it was only sent on, to lie here once more.
            if key == record.key:
                yield from self._fold(key, event, record.offset)

    def tables(self) -> Tables:
        posts = {
            b"%b/%d" % (key, number): encode_row(bucket)
            for key, buckets in self._buckets.items()
            for number, bucket in buckets.items()
        }
        return {
            "channels": {key: encode_row(row) for key, row in self._channels.items()},
            "posts": posts,
            "shelves": {key: encode_row(row) for key, row in self._shelves.items()},
        }

    def _fold(self, key: bytes, event: Event, offset: int) -> Iterator[Message]:
        channel, buckets = self._channels[key], self._buckets[key]
        folded = fold_update(channel, buckets, event, offset)
        assert folded.changed, f"an offset that does not grow: {offset}"
        for output in folded.outputs:
            yield Message(key, encode(output), event.observed_at_ms)
        if folded.touched:
            shelf = self._shelves[key]
            shelf.touch(folded.touched, channel.watermark_ms)
            for number in shelf.sweep(channel.watermark_ms):
                del buckets[number]


class Windows:
    """analytics.windows, folded."""

    def __init__(self) -> None:
        self._spikes: defaultdict[bytes, Spikes] = defaultdict(Spikes)
        self.dead = 0

    def fold(self, records: Iterable[Record]) -> Iterator[Message]:
        """What one partition's messages lead to in analytics.alerts."""
        for record in records:
            try:
                window = decode_analytics(record.value or b"")
            except BroadcastFound:
                continue
            except Undecodable:
                self.dead += 1
                continue
            if isinstance(window, ActivityWindow):
                for alert in self._put(window, record.offset):
                    yield Message(record.key, encode(alert), window.observed_at_ms)

    def tables(self) -> Tables:
        return {"spikes": {key: encode_row(row) for key, row in self._spikes.items()}}

    def _put(self, window: ActivityWindow, offset: int) -> Sequence[Alert]:
        return put_spikes(self._spikes[channel_key(window.channel_id)], window, StepContext(offset))
