"""Increments of counters between samples.

A gain is the increment of one counter between two successive samples of a post in which it was
said. The first value of a counter is a baseline, which gains nothing, except for a post that was
published after its channel was first observed and sampled within 24 h of publication: it counts
from 0. After 90 days without a sample the next one is a baseline again. A counter that falls gains
nothing, and the lower value is the newest. A sample older than the post's newest one is late and
changes nothing.
"""

from collections.abc import Iterator, Sequence
from itertools import compress
from operator import ne
from typing import cast

import msgspec

from streams.ids import PostId
from tables.ages import NEVER_MS, Crossing, crosses, next_age_at
from tables.posts import BUCKET_BITS, COUNTERS, SLOT_MASK, SLOTS, Bucket, Buckets, Counters, taken
from tables.windows import DAY_MS

#: How soon after publication a first sample must come to count from 0.
FROM_ZERO_MS = DAY_MS
#: How far apart two samples may lie and still be successive.
BASELINE_AGAIN_MS = 90 * DAY_MS

Column = Sequence[int | None] | None


class Sample(msgspec.Struct, frozen=True):
    """Counters of some posts at one instant: columns (views, forwards, replies, reactions)."""

    observed_at_ms: int
    post_ids: Sequence[PostId]
    columns: tuple[Column, Column, Column, Column]


class Moved(msgspec.Struct):
    """What a sample changed."""

    #: By counter; None where no increment could be measured.
    gains: list[int | None] = msgspec.field(default_factory=lambda: [None] * COUNTERS)
    #: Posts whose sample gave an increment of any counter, be it 0.
    measured: int = 0
    #: Counters that fell.
    fell: int = 0
    #: Posts whose sample was older than their newest.
    late: int = 0
    #: Posts that had been sampled at this very instant, with the same counters.
    repeated: int = 0
    #: Posts whose newest counters changed.
    changed: list[PostId] = []
    crossings: list[Crossing] = []


_BITS = tuple(1 << slot for slot in range(SLOTS))


class _Run:
    """Posts of one bucket, each once, that follow each other in a sample, without the late ones."""

    __slots__ = (
        "bucket",
        "changed",
        "crossed",
        "first_id",
        "lapsed",
        "measured",
        "positions",
        "present",
        "same_instant",
        "slots",
        "start",
        "take",
    )

    def __init__(self, bucket: Bucket, first_id: int, slots: list[int], start: int) -> None:
        self.bucket = bucket
        self.first_id = first_id
        self.slots = slots
        self.take = taken(slots)
        # Where the posts stand in the sample's columns; together from `start` on when None.
        self.start = start
        self.positions: list[int] | None = None
        # Bits of slots: in this run; sampled before at this very instant; long not sampled.
        self.present = sum(map(_BITS.__getitem__, slots))
        self.same_instant = self.lapsed = 0
        # Bits of slots: gave an increment; changed.
        self.measured = self.changed = 0
        # Slot, age and counters before, of the posts that pass a fixed age.
        self.crossed: list[tuple[int, int | None, Counters]] = []

    def of(self, column: Sequence[int | None]) -> Sequence[int | None]:
        """The run's part of a column."""
        if self.positions is None:
            return column[self.start : self.start + len(self.slots)]
        return [column[position] for position in self.positions]

    def keep(self, positions: list[int]) -> None:
        """Only these posts stay in the run."""
        self.slots = [self.slots[position - self.start] for position in positions]
        self.take = taken(self.slots)
        self.positions = positions
        self.present = sum(map(_BITS.__getitem__, self.slots))


def fold_sample(buckets: Buckets, sample: Sample, first_observed_ms: int) -> Moved:
    """Fold a sample into the rows of its posts, in place. The pipeline's innermost loop."""
    moved = Moved()
    at_ms = sample.observed_at_ms
    for number, start, stop in _stretches(sample.post_ids):
        slots = [post_id & SLOT_MASK for post_id in sample.post_ids[start:stop]]
        run = _Run(buckets[number], number << BUCKET_BITS, slots, start)
        if not _advance_together(run, at_ms):
            _advance_each(run, at_ms, moved)
        if not run.slots:
            continue
        for counter, column in enumerate(sample.columns):
            if column is None:
                run.bucket.stale[counter] |= run.present & ~run.same_instant
            elif not _fold_ordinary(run, counter, run.of(column), moved):
                _fold_any(run, counter, run.of(column), at_ms, first_observed_ms, moved)
        _put_changes(run, at_ms, moved)
    return moved


def _stretches(post_ids: Sequence[PostId]) -> Iterator[tuple[int, int, int]]:
    """Bucket, start and stop of stretches of ids in one bucket, each id once."""
    start, number = 0, -1
    slots = 0
    for position, post_id in enumerate(post_ids):
        bit = _BITS[post_id & SLOT_MASK]
        if post_id >> BUCKET_BITS != number or slots & bit:
            if position > start:
                yield number, start, position
            start, number, slots = position, post_id >> BUCKET_BITS, 0
        slots |= bit
    if post_ids:
        yield number, start, len(post_ids)


def _advance_together(run: _Run, at_ms: int) -> bool:
    """Move on the instants of a run that was sampled at one instant and passes no fixed age.

    That is nearly every run. False: nothing was done, each post has to be looked at.
    """
    sampled_ms = run.bucket.sampled_ms
    before_ms = sampled_ms[run.slots[0]]
    if before_ms is None or not before_ms < at_ms <= before_ms + BASELINE_AGAIN_MS:
        return False
    if at_ms >= run.bucket.due_ms:
        return False
    if run.take(sampled_ms).count(before_ms) != len(run.slots):
        return False
    for slot in run.slots:
        sampled_ms[slot] = at_ms
    return True


def _advance_each(run: _Run, at_ms: int, moved: Moved) -> None:
    """Move on the instants of a run post by post, and take the late ones out of it."""
    bucket = run.bucket
    on_time: list[int] = []
    is_first = False
    for position, slot in enumerate(run.slots, run.start):
        before_ms = bucket.sampled_ms[slot]
        if before_ms is None:
            is_first = True
        elif at_ms < before_ms:
            moved.late += 1
            continue
        elif at_ms == before_ms:
            run.same_instant |= _BITS[slot]
        elif at_ms - before_ms > BASELINE_AGAIN_MS:
            run.lapsed |= _BITS[slot]
        _note_crossing(run, slot, before_ms, at_ms)
        bucket.sampled_ms[slot] = at_ms
        on_time.append(position)
    if len(on_time) < len(run.slots):
        run.keep(on_time)
    if is_first or at_ms >= bucket.due_ms:
        bucket.due_ms = _due_ms(bucket)


def _note_crossing(run: _Run, slot: int, before_ms: int | None, at_ms: int) -> None:
    date_ms = run.bucket.dates_ms[slot]
    if date_ms is None:
        return
    age_before_ms = None if before_ms is None else before_ms - date_ms
    if crosses(age_before_ms, at_ms - date_ms):
        run.crossed.append((slot, age_before_ms, run.bucket.sampled(slot)))


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


def _fold_ordinary(run: _Run, counter: int, news: Sequence[int | None], moved: Moved) -> bool:
    """Fold one counter of a run whose posts all had it before and have it now.

    False: nothing was done, each value has to be looked at.
    """
    values = run.bucket.counters[counter]
    slots = run.slots
    olds = run.take(values)
    if run.same_instant or run.lapsed or None in olds or None in news:
        return False
    gained = changed = 0
    for slot, new, old in compress(zip(slots, news, olds, strict=True), map(ne, news, olds)):
        values[slot] = new
        changed |= _BITS[slot]
        if new > old:  # type: ignore[operator]
            gained += new - old  # type: ignore[operator]
        else:
            moved.fell += 1
    moved.gains[counter] = (moved.gains[counter] or 0) + gained
    run.measured = run.present
    run.changed |= changed
    run.bucket.stale[counter] &= ~run.present
    return True


def _fold_any(
    run: _Run,
    counter: int,
    news: Sequence[int | None],
    at_ms: int,
    first_ms: int,
    moved: Moved,
) -> None:
    """Fold one counter of any run."""
    bucket = run.bucket
    values = bucket.counters[counter]
    gained = changed = unsaid = 0
    unmeasured = run.lapsed
    for slot, new in zip(run.slots, news, strict=True):
        bit, old = _BITS[slot], values[slot]
        if new is None:
            unsaid |= bit
        elif old is None:
            changed |= bit
            values[slot] = new
            if _counts_from_zero(bucket.dates_ms[slot], at_ms, first_ms):
                gained += new
            else:
                unmeasured |= bit
        elif new != old:
            changed |= bit
            values[slot] = new
            if new < old:
                moved.fell += 1
            elif not run.lapsed & bit:
                gained += new - old
    repeated = run.same_instant & ~changed
    measured = run.present & ~(unmeasured | unsaid | repeated)
    if measured:
        moved.gains[counter] = (moved.gains[counter] or 0) + gained
    run.measured |= measured
    run.changed |= changed
    said = run.present & ~unsaid
    bucket.stale[counter] = (bucket.stale[counter] & ~said) | (unsaid & ~run.same_instant)


def _counts_from_zero(date_ms: int | None, at_ms: int, first_observed_ms: int) -> bool:
    return date_ms is not None and date_ms > first_observed_ms and at_ms - date_ms <= FROM_ZERO_MS


def _put_changes(run: _Run, at_ms: int, moved: Moved) -> None:
    moved.measured += run.measured.bit_count()
    moved.repeated += (run.same_instant & ~run.changed).bit_count()
    bucket = run.bucket
    if run.changed:
        first_id, changed = run.first_id, run.changed
        moved.changed += [PostId(first_id + slot) for slot in run.slots if changed & _BITS[slot]]
    for slot, age_before_ms, before in run.crossed:
        age_ms = at_ms - cast(int, bucket.dates_ms[slot])
        post_id = PostId(run.first_id + slot)
        moved.crossings.append(
            Crossing(post_id, age_before_ms, before, age_ms, bucket.sampled(slot))
        )
