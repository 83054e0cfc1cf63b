"""Runs: consecutive posts of a sample that lie in one bucket, folded together.

A run advances the instants at which posts were sampled. agents.updates.gains folds the counters.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import compress, groupby
from operator import itemgetter

from agents.updates.buckets import BUCKET_BITS, SLOT_MASK, SLOTS, Bucket, Slots, taken
from agents.updates.fixed_ages import NEVER_MS, crosses, next_age_at
from streams.counters import VIEWS, Counters
from streams.ids import PostId
from streams.units import DAY_MS

#: The longest distance between two successive samples; after a longer one, a new baseline starts.
BASELINE_AGAIN_MS = 90 * DAY_MS

NOBODY: frozenset[int] = frozenset()
#: One bit per slot, and the bits of all slots.
BITS = tuple(1 << slot for slot in range(SLOTS))
ALL = (1 << SLOTS) - 1


class Run:
    """Distinct posts of one bucket that are consecutive in a sample, without late ones."""

    __slots__ = (
        "before_ms",
        "bucket",
        "changed",
        "crossed",
        "first_id",
        "followers",
        "following",
        "ids",
        "lapsed",
        "late_to_ms",
        "measured",
        "positions",
        "present",
        "same_instant",
        "slots",
        "start",
        "take",
        "together",
    )

    def __init__(self, bucket: Bucket, ids: Sequence[PostId], start: int) -> None:
        """`ids`: the posts in the sample's order; `start`: the first one's position in it."""
        self.bucket = bucket
        self.ids = ids
        first, last = ids[0], ids[-1]
        self.first_id = first & ~SLOT_MASK
        # The run's slice of a column, if its ids have no gap.
        self.together: slice | None = None
        if last - first == len(ids) - 1 and ids == list(range(first, last + 1)):
            slot, end = first & SLOT_MASK, (last & SLOT_MASK) + 1
            self.slots = list(range(slot, end))
            self.together = slice(slot, end)
            self.take: Callable[[Slots], Sequence[int | None]] = itemgetter(self.together)
            self.present = ALL >> (SLOTS - end) & ALL << slot
        else:
            self.slots = [post_id & SLOT_MASK for post_id in ids]
            self.take = taken(self.slots)
            self.present = sum(map(BITS.__getitem__, self.slots))
        # The posts' positions in the sample's columns; None: consecutive from `start` on.
        self.start = start
        self.positions: list[int] | None = None
        # When the posts were sampled before, if ever: one instant for all, or by slot.
        self.before_ms: int | dict[int, int | None] | None = None
        # The bucket's slots that do not count (agents.updates.albums), and their bits.
        self.followers, self.following = NOBODY, 0
        if bucket.followers:
            self.followers = frozenset(bucket.followers)
            self.following = sum(map(BITS.__getitem__, bucket.followers))
        # Bits of slots, as in `present`: already sampled at this very instant; last sampled more
        # than BASELINE_AGAIN_MS ago.
        self.same_instant = self.lapsed = 0
        # The newest instant at which a late post had already been sampled.
        self.late_to_ms = -1
        # Bits of the slots with a measured increment, and the slots with a changed counter.
        self.measured = 0
        self.changed: set[int] = set()
        # Slot, previous age and previous counters of each post that passes a fixed age.
        self.crossed: list[tuple[int, int | None, Counters]] = []

    def of(self, column: Sequence[int | None]) -> Sequence[int | None]:
        """The run's part of a column."""
        if self.positions is None:
            return column[self.start : self.start + len(self.slots)]
        return [column[position] for position in self.positions]

    def keep(self, positions: list[int]) -> None:
        """Remove all other posts from the run."""
        self.slots = [self.slots[position - self.start] for position in positions]
        self.ids = [self.ids[position - self.start] for position in positions]
        self.together = None
        self.take = taken(self.slots)
        self.positions = positions
        self.present = sum(map(BITS.__getitem__, self.slots))

    def write(self, values: Slots, news: Sequence[int | None], changed: Sequence[object]) -> None:
        """Write a counter's new values into its column; `changed` is true where a value changed."""
        if self.together is not None:
            values[self.together] = news
            self.changed.update(compress(self.slots, changed))
            return
        for slot, new in compress(zip(self.slots, news, strict=True), changed):
            values[slot] = new
            self.changed.add(slot)

    def advance(self, at_ms: int) -> int:
        """Advance the posts' instants, and remove late posts from the run. Returns their number.

        Called once per run, before any counter is folded.
        """
        return 0 if self._advance_together(at_ms) else self._advance_each(at_ms)

    def viewed_before_ms(self, slot: int) -> int:
        """When the views of a post that has some were last observed. Call before `mark_stale`."""
        said_ms = self.bucket.viewed_ms.get(slot, self._sampled_before_ms(slot))
        assert said_ms is not None
        return said_ms

    def mark_stale(self, counter: int, unsaid: int, said: int) -> None:
        """Mark a counter as stale for the posts in `unsaid`, and as fresh for the posts in `said`.

        Both are bits of slots: the sample lacked the counter of the former, and had the latter's.
        """
        unsaid &= ~self.same_instant
        stale = self.bucket.stale
        if counter == VIEWS and (unsaid or self.bucket.viewed_ms):
            self._mark_views(unsaid, said)
        stale[counter] = (stale[counter] & ~said) | unsaid

    def _mark_views(self, unsaid: int, said: int) -> None:
        viewed_ms = self.bucket.viewed_ms
        for slot in self.slots:
            bit = BITS[slot]
            if bit & said:
                viewed_ms.pop(slot, None)
            elif bit & unsaid and (before_ms := self._sampled_before_ms(slot)) is not None:
                viewed_ms.setdefault(slot, before_ms)

    def _sampled_before_ms(self, slot: int) -> int | None:
        before_ms = self.before_ms
        return before_ms[slot] if isinstance(before_ms, dict) else before_ms

    def _advance_together(self, at_ms: int) -> bool:
        """Advance a run last sampled at one instant that passes no fixed age: nearly every run.

        Returns False, without a change, if each post has to be examined.
        """
        sampled_ms = self.bucket.sampled_ms
        before_ms = sampled_ms[self.slots[0]]
        if before_ms is None or not before_ms < at_ms <= before_ms + BASELINE_AGAIN_MS:
            return False
        if at_ms >= self.bucket.due_ms:
            return False
        if self.take(sampled_ms).count(before_ms) != len(self.slots):
            return False
        if self.together is not None:
            sampled_ms[self.together] = [at_ms] * len(self.slots)
        else:
            for slot in self.slots:
                sampled_ms[slot] = at_ms
        self.before_ms = before_ms
        return True

    def _advance_each(self, at_ms: int) -> int:
        """Advance post by post, and remove late posts from the run. Returns their number."""
        bucket = self.bucket
        on_time: list[int] = []
        befores_ms: dict[int, int | None] = {}
        late = 0
        for position, slot in enumerate(self.slots, self.start):
            before_ms = bucket.sampled_ms[slot]
            if before_ms is not None:
                if at_ms < before_ms:
                    late += 1
                    self.late_to_ms = max(self.late_to_ms, before_ms)
                    continue
                if at_ms == before_ms:
                    self.same_instant |= BITS[slot]
                elif at_ms - before_ms > BASELINE_AGAIN_MS:
                    self.lapsed |= BITS[slot]
            self._note_crossing(slot, before_ms, at_ms)
            befores_ms[slot] = before_ms
            bucket.sampled_ms[slot] = at_ms
            on_time.append(position)
        alike = len(set(befores_ms.values())) == 1
        self.before_ms = next(iter(befores_ms.values())) if alike else befores_ms
        if late:
            self.keep(on_time)
        if at_ms >= bucket.due_ms or None in befores_ms.values():
            bucket.due_ms = _due_ms(bucket)
        return late

    def _note_crossing(self, slot: int, before_ms: int | None, at_ms: int) -> None:
        date_ms = self.bucket.dates_ms[slot]
        if date_ms is None:
            return
        age_before_ms = None if before_ms is None else before_ms - date_ms
        if crosses(age_before_ms, at_ms - date_ms):
            self.crossed.append((slot, age_before_ms, self.bucket.sampled(slot)))


def stretches(post_ids: Sequence[PostId]) -> Iterator[tuple[int, int, int]]:
    """Bucket, start and stop of each stretch of ids in one bucket; no id repeats in a stretch."""
    if len(set(post_ids)) < len(post_ids):
        yield from _stretches_of_repeated(post_ids)
        return
    start = 0
    if post_ids == sorted(post_ids):
        while start < len(post_ids):
            number = post_ids[start] >> BUCKET_BITS
            stop = bisect_left(post_ids, (number + 1) << BUCKET_BITS, start)
            yield number, start, stop
            start = stop
        return
    for number, together in groupby([post_id >> BUCKET_BITS for post_id in post_ids]):
        stop = start + len(list(together))
        yield number, start, stop
        start = stop


def _stretches_of_repeated(post_ids: Sequence[PostId]) -> Iterator[tuple[int, int, int]]:
    start, number = 0, -1
    slots = 0
    for position, post_id in enumerate(post_ids):
        bit = BITS[post_id & SLOT_MASK]
        if post_id >> BUCKET_BITS != number or slots & bit:
            if position > start:
                yield number, start, position
            start, number, slots = position, post_id >> BUCKET_BITS, 0
        slots |= bit
    if post_ids:
        yield number, start, len(post_ids)


def _due_ms(bucket: Bucket) -> int:
    """The instant at which the first of the sampled posts passes its next fixed age."""
    return min(
        (
            next_age_at(date_ms, sampled_ms)
            for date_ms, sampled_ms in zip(bucket.dates_ms, bucket.sampled_ms, strict=True)
            if date_ms is not None and sampled_ms is not None
        ),
        default=NEVER_MS,
    )
