"""Increments of counters between samples.

A gain is the increment of one counter between two successive samples of a post in which it was
said. The first value of a counter is a baseline, which gains nothing, except for a post that was
published after its channel was first observed and sampled within 24 h of publication: it counts
from 0. After 90 days without a sample the next one is a baseline again. A counter that falls gains
nothing, and the lower value is the newest. A sample older than the post's newest one is late and
changes nothing.
"""

from collections.abc import Iterator, Sequence
from typing import cast

import msgspec

from streams.ids import PostId
from tables.ages import HIGHEST_AGE_MS, Crossing, crosses
from tables.posts import BUCKET_BITS, COUNTERS, SLOT_MASK, Bucket, Buckets, Counters
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


class _Run:
    """Posts of one bucket that follow each other in a sample, without the late ones."""

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
    )

    def __init__(self, bucket: Bucket, first_id: int) -> None:
        self.bucket = bucket
        self.first_id = first_id
        self.slots: list[int] = []
        self.positions: list[int] = []
        # Bits of slots: in this run; sampled before at this very instant; long not sampled.
        self.present = self.same_instant = self.lapsed = 0
        # Bits of slots: gave an increment; changed.
        self.measured = self.changed = 0
        # Slot, age and counters before, of the posts that pass a fixed age.
        self.crossed: list[tuple[int, int | None, Counters]] = []


def fold_sample(buckets: Buckets, sample: Sample, first_observed_ms: int) -> Moved:
    """Fold a sample into the rows of its posts, in place. The pipeline's innermost loop."""
    moved = Moved()
    for run in _runs(buckets, sample, moved):
        for counter, column in enumerate(sample.columns):
            if column is None:
                run.bucket.stale[counter] |= run.present & ~run.same_instant
            else:
                _fold_column(run, counter, column, sample.observed_at_ms, first_observed_ms, moved)
        _put_changes(run, sample.observed_at_ms, moved)
    return moved


def _runs(buckets: Buckets, sample: Sample, moved: Moved) -> Iterator[_Run]:
    """Split a sample by bucket, a run once, and move on the instants of the newest samples."""
    at_ms = sample.observed_at_ms
    run: _Run | None = None
    number = -1
    for position, post_id in enumerate(sample.post_ids):
        slot = post_id & SLOT_MASK
        bit = 1 << slot
        if run is None or post_id >> BUCKET_BITS != number or run.present & bit:
            if run is not None:
                yield run
            number = post_id >> BUCKET_BITS
            run = _Run(buckets[number], number << BUCKET_BITS)
            sampled_ms, dates_ms = run.bucket.sampled_ms, run.bucket.dates_ms
            slots, positions = run.slots, run.positions
        before_ms = sampled_ms[slot]
        if before_ms is not None and at_ms <= before_ms:
            if at_ms < before_ms:
                moved.late += 1
                continue
            run.same_instant |= bit
        elif before_ms is not None and at_ms - before_ms > BASELINE_AGAIN_MS:
            run.lapsed |= bit
        date_ms = dates_ms[slot]
        if date_ms is not None and (before_ms is None or before_ms - date_ms < HIGHEST_AGE_MS):
            _note_crossing(run, slot, before_ms, date_ms, at_ms)
        sampled_ms[slot] = at_ms
        slots.append(slot)
        positions.append(position)
        run.present |= bit
    if run is not None:
        yield run


def _note_crossing(run: _Run, slot: int, before_ms: int | None, date_ms: int, at_ms: int) -> None:
    age_before_ms = None if before_ms is None else before_ms - date_ms
    if crosses(age_before_ms, at_ms - date_ms):
        run.crossed.append((slot, age_before_ms, run.bucket.sampled(slot)))


def _fold_column(
    run: _Run, counter: int, column: Sequence[int | None], at_ms: int, first_ms: int, moved: Moved
) -> None:
    """Fold one counter of a run."""
    bucket = run.bucket
    values = bucket.counters[counter]
    lapsed = run.lapsed
    gained = changed = unsaid = 0
    unmeasured = lapsed
    for slot, position in zip(run.slots, run.positions, strict=True):
        new = column[position]
        old = values[slot]
        if new is None:
            unsaid |= 1 << slot
        elif old is None:
            changed |= 1 << slot
            values[slot] = new
            if _counts_from_zero(bucket.dates_ms[slot], at_ms, first_ms):
                gained += new
            else:
                unmeasured |= 1 << slot
        elif new != old:
            changed |= 1 << slot
            values[slot] = new
            if new < old:
                moved.fell += 1
            elif not lapsed >> slot & 1:
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
        moved.changed += [PostId(first_id + slot) for slot in run.slots if changed >> slot & 1]
    for slot, age_before_ms, before in run.crossed:
        age_ms = at_ms - cast(int, bucket.dates_ms[slot])
        post_id = PostId(run.first_id + slot)
        moved.crossings.append(
            Crossing(post_id, age_before_ms, before, age_ms, bucket.sampled(slot))
        )
