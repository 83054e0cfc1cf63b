"""The agent `updates` on Faust: rows from tables, the pure fold, rows and outputs back."""

from collections.abc import Iterable
from typing import Any

from faust.types import EventT

from agents.binding import Body
from agents.cache import RowCache
from agents.check import read_event
from agents.sending import Sender
from agents.updates import fold_update
from agents.watermarks import Watermarks
from streams.clock import Clock
from streams.codec import encode
from streams.events import samples_of
from streams.topics import channel_key
from tables.channel import Channel
from tables.posts import Bucket, Shelf
from tables.rows import encode_row


class UpdatesBody(Body):
    """Reads telegram.updates, sends to analytics.windows."""

    stage = "updates"

    def __init__(
        self,
        *args: Any,
        channels: RowCache[Channel],
        posts: RowCache[Bucket],
        shelves: RowCache[Shelf],
        windows: Sender,
        again: Sender,
        watermarks: Watermarks,
        clock: Clock,
    ) -> None:
        """`again` sends to telegram.updates; sources stamp observations by `clock`."""
        super().__init__(*args)
        self._channels = channels
        self._posts = posts
        self._shelves = shelves
        self._windows = windows
        self._again = again
        self._watermarks = watermarks
        self._clock = clock

    def handle(self, event: EventT[bytes]) -> None:
        message: Any = event.message
        update, refused = read_event(message.value or b"", self._clock.now_ms())
        key = channel_key(update.channel_id)
        if key != message.key:
            # Only under its right key does it reach the partition that has the channel's rows.
            self._metrics.dropped(self.stage, "respelled")
            self._again(event, key, encode(update), message.timestamp)
            self.bury_parts(event, refused)
            return
        channel = self._channels.get(event, key)
        buckets = _Buckets(self._posts, event, key)
        folded = fold_update(channel, buckets, update, message.offset)
        values = [encode(output) for output in folded.outputs]
        # Everything is encoded before anything is sent: an error must not leave half of it.
        posts = [(buckets.key(n), encode_row(buckets[n])) for n in folded.touched]
        row = encode_row(channel)
        self.bury_parts(event, refused)
        for value in values:
            self._windows(event, key, value, update.observed_at_ms / 1000)
        for bucket_key, data in posts:
            self._posts.write(event, bucket_key, data)
        if folded.changed:
            self._channels.write(event, key, row)
        if folded.touched:
            self._shelve(event, key, folded.touched, channel.watermark_ms)
        self._metrics.sent(self.stage, len(values))
        for reason, amount in folded.handled.items():
            self._metrics.dropped(self.stage, reason, amount)
        if samples := samples_of(update):
            self._metrics.samples(self.stage, samples)
        self._watermarks.put(message.partition, update.channel_id, channel.watermark_ms)

    def measure(self, event: EventT[bytes]) -> None:
        """The way to a window, up to here: the commit that makes it readable comes on top."""
        way_ms = self._clock.now_ms() - event.message.timestamp * 1000
        self._metrics.arrived("window", way_ms / 1000 / self._clock.speed)

    def _shelve(
        self, event: EventT[bytes], key: bytes, touched: Iterable[int], watermark_ms: int
    ) -> None:
        """Note which buckets are in use, and drop those that have not been for 90 days."""
        shelf = self._shelves.get(event, key)
        moved = shelf.touch(touched, watermark_ms)
        for number in shelf.sweep(watermark_ms):
            self._posts.drop(event, _bucket_key(key, number))
            moved = True
        if moved:
            self._shelves.write(event, key, encode_row(shelf))


class _Buckets(dict[int, Bucket]):
    """The buckets of one channel, from the table."""

    def __init__(self, posts: RowCache[Bucket], event: EventT[bytes], channel: bytes) -> None:
        super().__init__()
        self._posts = posts
        self._event = event
        self._channel = channel

    def key(self, number: int) -> bytes:
        return _bucket_key(self._channel, number)

    def __missing__(self, number: int) -> Bucket:
        bucket = self[number] = self._posts.get(self._event, self.key(number))
        return bucket


def _bucket_key(channel: bytes, number: int) -> bytes:
    return b"%b/%d" % (channel, number)
