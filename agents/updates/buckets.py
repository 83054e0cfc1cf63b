"""The state of posts: one row per (channel, bucket of 64 post ids), in columns of 64 slots."""

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
#: A bucket is dropped after 90 days in which no message touched it; the shelf counts in weeks.
KEEP_WEEKS = 13

COUNTERS = len(NAMES)
Slots = list[int | None]


def _empty() -> Slots:
    return [None] * SLOTS


def _empty_counters() -> list[Slots]:
    return [_empty() for _ in range(COUNTERS)]


class Bucket(Row, array_like=True, gc=False):
    """Up to 64 posts whose ids have all but the lowest six bits in common."""

    #: When each post was published; None while unknown.
    dates_ms: Slots = msgspec.field(default_factory=_empty)
    #: When each post's newest sample was observed; None before the first.
    sampled_ms: Slots = msgspec.field(default_factory=_empty)
    #: Newest values, one column per counter.
    counters: list[Slots] = msgspec.field(default_factory=_empty_counters)
    #: One number per counter, one bit per slot: the newest sample lacked this counter.
    stale: list[int] = msgspec.field(default_factory=lambda: [0] * COUNTERS)
    #: Before this instant no sampled post passes a fixed age; 0: unknown.
    due_ms: int = 0
    #: When an edited post was last edited, by slot.
    edited_ms: dict[int, int] = msgspec.field(default_factory=dict)
    #: One bit per slot.
    deleted: int = 0
    #: When views were last observed, by slot, for posts whose newest sample lacked views.
    viewed_ms: dict[int, int] = msgspec.field(default_factory=dict)
    #: The highest values of counters that fell, by counter and slot: gains start above them.
    highs: dict[int, dict[int, int]] = msgspec.field(default_factory=dict)
    #: Slots of albums' posts that do not count, because another post of the album does.
    followers: list[int] = msgspec.field(default_factory=list)
    #: For each album leader, by slot: the distances in ids from the leader to its followers.
    led: dict[int, list[int]] = msgspec.field(default_factory=dict)

    def see(self, slot: int, date_ms: int) -> bool:
        """Record when a post was published. Returns True if the post is new."""
        before_ms = self.dates_ms[slot]
        if before_ms != date_ms:
            self.dates_ms[slot] = date_ms
            self.due_ms = 0
        return before_ms is None

    def edit(self, slot: int, edited_ms: int) -> bool:
        """Record an edit. Returns False if it is already known, or older than the newest."""
        if edited_ms <= self.edited_ms.get(slot, -1):
            return False
        self.edited_ms[slot] = edited_ms
        return True

    def delete(self, slot: int) -> bool:
        """Record a post's deletion. Returns False if it is already known."""
        bit = 1 << slot
        was_there = not self.deleted & bit
        self.deleted |= bit
        return was_there

    def rise(self, counter: int, slot: int, new: int, old: int) -> int:
        """Return the increment over the counter's highest value, never negative.

        The highest value is stored while the counter is below it.
        """
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
        """The newest sample; None for each counter that it lacked."""
        values = self.newest(slot)
        if not any(self.stale):
            return values
        bit = 1 << slot
        return Counters(
            *(None if s & bit else value for s, value in zip(self.stale, values, strict=True))
        )


def taken(slots: Sequence[int]) -> Callable[[Slots], Sequence[int | None]]:
    """Return a function that reads the values of `slots` from a column, in the order of `slots`."""
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


#: The buckets of one channel; reading a missing one creates it.
Buckets = MutableMapping[int, Bucket]


class NewBuckets(dict[int, Bucket]):
    """Buckets in memory."""

    def __missing__(self, number: int) -> Bucket:
        bucket = self[number] = Bucket()
        return bucket


class Shelf(Row, array_like=True, gc=False):
    """A channel's buckets, each with the week of event time in which it was last touched."""

    weeks: dict[int, int] = msgspec.field(default_factory=dict)
    swept_week: int = -1

    def touch(self, buckets: Iterable[int], watermark_ms: int) -> bool:
        """Record that buckets are in use. Returns False if the row did not change."""
        week = watermark_ms // WEEK_MS
        moved = [bucket for bucket in buckets if self.weeks.get(bucket) != week]
        for bucket in moved:
            self.weeks[bucket] = week
        return bool(moved)

    def sweep(self, watermark_ms: int) -> list[int]:
        """Forget buckets not touched for 90 days, once per week of event time.

        Returns their numbers.
        """
        week = watermark_ms // WEEK_MS
        if week <= self.swept_week:
            return []
        self.swept_week = week
        old = [bucket for bucket, touched in self.weeks.items() if week - touched > KEEP_WEEKS]
        for bucket in old:
            del self.weeks[bucket]
        return old
