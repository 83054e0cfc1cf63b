"""Increments of counters between samples.

A gain is the increment of one counter between two successive samples of a post in which it was
said. The first value of a counter is a baseline, which gains nothing, except for a post that was
published after its channel was first observed and sampled within 24 h of publication: it counts
from 0. After 90 days without a sample the next one is a baseline again. A counter that falls gains
nothing, and the lower value is the newest. A sample older than the post's newest one is late and
changes nothing.

The pace tells how fast views are gained whatever the distance between samples: of a gain it takes
the share of one minute, as if the views had come evenly since they were said last.
"""

from collections.abc import Iterable, Sequence
from itertools import compress
from operator import ne
from typing import cast

import msgspec

from streams.ids import PostId
from tables.ages import Crossing
from tables.posts import BUCKET_BITS, COUNTERS, SLOT_MASK, VIEWS, Buckets
from tables.runs import BITS, Run, stretches
from tables.windows import DAY_MS, MINUTE_MS

#: How soon after publication a first sample must come to count from 0.
FROM_ZERO_MS = DAY_MS

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
    #: Views a minute: the gains of views, each as the share of it that falls in one minute.
    views_pace: float = 0.0
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


def fold_sample(buckets: Buckets, sample: Sample, first_observed_ms: int) -> Moved:
    """Fold a sample into the rows of its posts, in place. The pipeline's innermost loop."""
    moved = Moved()
    at_ms = sample.observed_at_ms
    for number, start, stop in stretches(sample.post_ids):
        slots = [post_id & SLOT_MASK for post_id in sample.post_ids[start:stop]]
        run = Run(buckets[number], number << BUCKET_BITS, slots, start)
        moved.late += run.advance(at_ms)
        if not run.slots:
            continue
        for counter, column in enumerate(sample.columns):
            if column is None:
                run.mark_stale(counter, run.present, 0)
            elif not _fold_ordinary(run, counter, run.of(column), at_ms, moved):
                _fold_any(run, counter, run.of(column), at_ms, first_observed_ms, moved)
        _put_changes(run, at_ms, moved)
    return moved


def _fold_ordinary(
    run: Run, counter: int, news: Sequence[int | None], at_ms: int, moved: Moved
) -> bool:
    """Fold one counter of a run whose posts all had it before and have it now.

    Views also have to have been said at one instant. False: nothing was done, each value has to
    be looked at.
    """
    values = run.bucket.counters[counter]
    slots = run.slots
    olds = run.take(values)
    if run.same_instant or run.lapsed or None in olds or None in news:
        return False
    before_ms = run.before_ms
    if counter == VIEWS and (run.bucket.viewed_ms or not isinstance(before_ms, int)):
        return False
    gained = changed = 0
    for slot, new, old in compress(zip(slots, news, olds, strict=True), map(ne, news, olds)):
        values[slot] = new
        changed |= BITS[slot]
        if new > old:  # type: ignore[operator]
            gained += new - old  # type: ignore[operator]
        else:
            moved.fell += 1
    moved.gains[counter] = (moved.gains[counter] or 0) + gained
    if counter == VIEWS:
        moved.views_pace += a_minute_of(gained, at_ms - cast(int, before_ms))
    run.measured = run.present
    run.changed |= changed
    run.bucket.stale[counter] &= ~run.present
    return True


def _fold_any(
    run: Run,
    counter: int,
    news: Sequence[int | None],
    at_ms: int,
    first_ms: int,
    moved: Moved,
) -> None:
    """Fold one counter of any run."""
    bucket = run.bucket
    values = bucket.counters[counter]
    gains: list[tuple[int, int]] = []
    changed = unsaid = from_zero = 0
    unmeasured = run.lapsed
    for slot, new in zip(run.slots, news, strict=True):
        bit, old = BITS[slot], values[slot]
        if new is None:
            unsaid |= bit
        elif old is None:
            changed |= bit
            values[slot] = new
            if _counts_from_zero(bucket.dates_ms[slot], at_ms, first_ms):
                gains.append((slot, new))
                from_zero |= bit
            else:
                unmeasured |= bit
        elif new != old:
            changed |= bit
            values[slot] = new
            if new < old:
                moved.fell += 1
            elif not run.lapsed & bit:
                gains.append((slot, new - old))
    repeated = run.same_instant & ~changed
    measured = run.present & ~(unmeasured | unsaid | repeated)
    if measured:
        moved.gains[counter] = (moved.gains[counter] or 0) + sum(gain for _, gain in gains)
    if counter == VIEWS:
        moved.views_pace += _pace(run, gains, from_zero, at_ms)
    run.measured |= measured
    run.changed |= changed
    run.mark_stale(counter, unsaid, run.present & ~unsaid)


def _pace(run: Run, gains: Iterable[tuple[int, int]], from_zero: int, at_ms: int) -> float:
    """Views a minute, of slots and their gains; some (bits) gained since they were published."""
    pace = 0.0
    for slot, gain in gains:
        if from_zero & BITS[slot]:
            since_ms = cast(int, run.bucket.dates_ms[slot])
        else:
            since_ms = run.viewed_before_ms(slot)
        pace += a_minute_of(gain, at_ms - since_ms)
    return pace


def a_minute_of(gain: int, since_ms: int) -> float:
    """The share of one minute in what was gained in so long. Not more than the gain."""
    return gain * MINUTE_MS / since_ms if since_ms > MINUTE_MS else float(gain)


def _counts_from_zero(date_ms: int | None, at_ms: int, first_observed_ms: int) -> bool:
    return date_ms is not None and date_ms > first_observed_ms and at_ms - date_ms <= FROM_ZERO_MS


def _put_changes(run: Run, at_ms: int, moved: Moved) -> None:
    moved.measured += run.measured.bit_count()
    moved.repeated += (run.same_instant & ~run.changed).bit_count()
    bucket = run.bucket
    if run.changed:
        first_id, changed = run.first_id, run.changed
        moved.changed += [PostId(first_id + slot) for slot in run.slots if changed & BITS[slot]]
    for slot, age_before_ms, before in run.crossed:
        age_ms = at_ms - cast(int, bucket.dates_ms[slot])
        post_id = PostId(run.first_id + slot)
        moved.crossings.append(
            Crossing(post_id, age_before_ms, before, age_ms, bucket.sampled(slot))
        )
