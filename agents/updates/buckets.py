"""What is known of posts: one row per (channel, bucket of 64 post ids), in columns of 64 slots."""

from collections.abc import Callable, Iterable, MutableMapping, Sequence
from operator import itemgetter

import msgspec

from streams.counters import NAMES, Counters
from streams.ids import PostId
from streams.units import WEEK_MS
from tables.rows import Row

BUCKET_BITS = 6
SLOTS = 1 << BUCKET_BITS
SLOT_MASK = SLOTS - 1
#: A bucket is dropped once it was not touched for 90 days; the shelf counts in weeks.
KEEP_WEEKS = 13

COUNTERS = len(NAMES)
Slots = list[int | None]


def _empty() -> Slots:
    return [None] * SLOTS


def _empty_counters() -> list[Slots]:
    return [_empty() for _ in range(COUNTERS)]


class Bucket(Row, array_like=True, gc=False):
    """Up to 64 posts whose ids have all but the lowest six bits in common."""

    #: When each post was published; None until a message said so.
    dates_ms: Slots = msgspec.field(default_factory=_empty)
    #: When its newest sample was observed; None before the first.
    sampled_ms: Slots = msgspec.field(default_factory=_empty)
    #: Newest values, a column a counter.
    counters: list[Slots] = msgspec.field(default_factory=_empty_counters)
    #: A bit a slot, a number a counter: the newest sample did not say this counter.
    stale: list[int] = msgspec.field(default_factory=lambda: [0] * COUNTERS)
    #: Until this instant no post that was sampled passes a fixed age; 0: not known.
    due_ms: int = 0
    #: When an edited post was last edited, by slot.
    edited_ms: dict[int, int] = msgspec.field(default_factory=dict)
    #: A bit a slot.
    deleted: int = 0
    #: When views were said last, by slot, of posts whose newest sample did not say them.
    viewed_ms: dict[int, int] = msgspec.field(default_factory=dict)
    #: The highest values of counters that fell, by counter and slot: up to there nothing is gained.
    highs: dict[int, dict[int, int]] = msgspec.field(default_factory=dict)
    #: Slots of albums' posts that do not count, because another post of the album does.
    followers: list[int] = msgspec.field(default_factory=list)
    #: Of albums' leaders, by slot: how far behind it in ids each of its followers is.
    led: dict[int, list[int]] = msgspec.field(default_factory=dict)

    def see(self, slot: int, date_ms: int) -> bool:
        """Learn when a post was published. True when it had not been seen before."""
        before_ms = self.dates_ms[slot]
        if before_ms != date_ms:
            self.dates_ms[slot] = date_ms
            self.due_ms = 0
        return before_ms is None

    def edit(self, slot: int, edited_ms: int) -> bool:
        """Learn of an edit. False when it is known already."""
        if edited_ms <= self.edited_ms.get(slot, -1):
            return False
        self.edited_ms[slot] = edited_ms
        return True

    def delete(self, slot: int) -> bool:
        """Learn that a post is gone. False when it is known already."""
        bit = 1 << slot
        was_there = not self.deleted & bit
        self.deleted |= bit
        return was_there

    def rise(self, counter: int, slot: int, new: int, old: int) -> int:
        """By how much a counter rose over its highest value, which is kept while it is below."""
        highs = self.highs.get(counter)
        if new < old:
            self.highs.setdefault(counter, {}).setdefault(slot, old)
            return 0
        if highs is None or slot not in highs:
            return new - old
        if new < highs[slot]:
            return 0
        gain = new - highs[slot]
        self.forget_high(counter, slot)
        return gain

    def forget_high(self, counter: int, slot: int) -> None:
        highs = self.highs.get(counter)
        if highs and highs.pop(slot, None) is not None and not highs:
            del self.highs[counter]

    def newest(self, slot: int) -> Counters:
        """The newest value of each counter, however old."""
        views, forwards, replies, reactions = self.counters
        return Counters(views[slot], forwards[slot], replies[slot], reactions[slot])

    def sampled(self, slot: int) -> Counters:
        """What the newest sample said; None for a counter that it did not say."""
        values = self.newest(slot)
        if not any(self.stale):
            return values
        bit = 1 << slot
        return Counters(
            *(None if s & bit else value for s, value in zip(self.stale, values, strict=True))
        )


def taken(slots: Sequence[int]) -> Callable[[Slots], Sequence[int | None]]:
    """A function that takes the values of some slots out of a column, in their order."""
    if len(slots) > 1:
        return itemgetter(*slots)
    return lambda column: [column[slot] for slot in slots]


def place_of(post_id: PostId) -> tuple[int, int]:
    """The bucket and the slot of a post."""
    return post_id >> BUCKET_BITS, post_id & SLOT_MASK


def bucket_of(post_id: PostId) -> int:
    return post_id >> BUCKET_BITS


def buckets_of(post_ids: Iterable[PostId]) -> set[int]:
    return {post_id >> BUCKET_BITS for post_id in post_ids}


#: The buckets of one channel; asking for one that is not there makes it.
Buckets = MutableMapping[int, Bucket]


class NewBuckets(dict[int, Bucket]):
    """Buckets in memory."""

    def __missing__(self, number: int) -> Bucket:
        bucket = self[number] = Bucket()
        return bucket


class Shelf(Row, array_like=True, gc=False):
    """Which buckets a channel has, and in which week of event time each was last touched."""

    weeks: dict[int, int] = msgspec.field(default_factory=dict)
    swept_week: int = -1

    def touch(self, buckets: Iterable[int], watermark_ms: int) -> bool:
        """Note that buckets are in use. False when nothing had to be noted."""
        week = watermark_ms // WEEK_MS
        moved = [bucket for bucket in buckets if self.weeks.get(bucket) != week]
        for bucket in moved:
            self.weeks[bucket] = week
        return bool(moved)

    def sweep(self, watermark_ms: int) -> list[int]:
        """Forget, once a week of event time, what has not been touched for 90 days."""
        week = watermark_ms // WEEK_MS
        if week <= self.swept_week:
            return []
        self.swept_week = week
        old = [bucket for bucket, touched in self.weeks.items() if week - touched > KEEP_WEEKS]
        for bucket in old:
            del self.weeks[bucket]
        return old
