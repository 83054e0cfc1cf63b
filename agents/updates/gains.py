"""Increments of counters between samples.

A gain is the increment of one counter of a post over its highest value so far, between two
successive samples that contain it. The first value of a counter is a baseline, which gains nothing,
except for a post that appeared while its channel was observed: there was an observation before its
date, at most 24 h before the sample. Such a counter counts from 0. After 90 days without a sample
the next sample is a baseline again. A counter that falls gains nothing, nor does it while it
recovers; the lower value becomes the newest. A sample older than the post's newest one is late and
changes nothing. In an album only the leader gains.

The pace states how fast views are gained, independent of the distance between samples: it counts
one minute's share of each gain, as if the views had come evenly since they were last observed.
"""

from collections.abc import Iterable, Sequence
from itertools import compress
from operator import sub
from typing import cast

import msgspec

from agents.updates.buckets import COUNTERS, Buckets
from agents.updates.fixed_ages import Crossing
from agents.updates.gaps import Gap, observed_between
from agents.updates.runs import BITS, Run, stretches
from streams.counters import VIEWS
from streams.ids import PostId
from streams.units import DAY_MS, MINUTE_MS

#: How long before a first sample the channel must have been observed for it to count from 0.
FROM_ZERO_MS = DAY_MS

Column = Sequence[int | None] | None


class Sample(msgspec.Struct, frozen=True):
    """Counters of some posts at one instant: one column per counter, in the order of the posts."""

    observed_at_ms: int
    post_ids: Sequence[PostId]
    columns: tuple[Column, Column, Column, Column]

    @property
    def tells(self) -> bool:
        """Whether the sample contains any counter of any post."""
        return any(
            column is not None and any(value is not None for value in column)
            for column in self.columns
        )


class Top(msgspec.Struct, frozen=True, array_like=True):
    """The post that added most to the pace, its views per minute, and its gain."""

    post_id: PostId
    views_gained: int
    pace: float

    def or_higher(self, other: "Top") -> "Top":
        """The one with the higher pace; the sum if both are the same post."""
        if self.post_id == other.post_id:
            return Top(self.post_id, self.views_gained + other.views_gained, self.pace + other.pace)
        return other if other.pace > self.pace else self


class Moved(msgspec.Struct):
    """The changes that a sample caused."""

    #: By counter; None if no increment could be measured.
    gains: list[int | None] = msgspec.field(default_factory=lambda: [None] * COUNTERS)
    #: Views per minute: the sum of one minute's share of each gain of views.
    views_pace: float = 0.0
    #: The post that gained the most views per minute.
    top: Top | None = None
    #: Number of posts whose sample yielded an increment of any counter, even 0.
    measured: int = 0
    #: Number of counters that fell.
    fell: int = 0
    #: Number of posts whose sample was older than their newest one.
    late: int = 0
    #: The newest instant at which one of the late posts had already been sampled.
    late_to_ms: int = -1
    #: Number of posts already sampled at this very instant with the same counters.
    repeated: int = 0
    #: Posts whose newest counters changed.
    changed: list[PostId] = []
    crossings: list[Crossing] = []

    def put_top(self, post_id: PostId, gain: int, pace: float) -> None:
        if gain and (self.top is None or pace > self.top.pace):
            self.top = Top(post_id, gain, pace)


def fold_sample(buckets: Buckets, sample: Sample, gaps: Sequence[Gap]) -> Moved:
    """Fold a sample into the rows of its posts, in place; never waits. The pipeline's hottest path.

    `gaps` are the gaps in the channel's observation; this sample already counts as observed.
    """
    moved = Moved()
    at_ms = sample.observed_at_ms
    for number, start, stop in stretches(sample.post_ids):
        run = Run(buckets[number], sample.post_ids[start:stop], start)
        if late := run.advance(at_ms):
            moved.late += late
            moved.late_to_ms = max(moved.late_to_ms, run.late_to_ms)
        if not run.slots:
            continue
        for counter, column in enumerate(sample.columns):
            if column is None:
                run.mark_stale(counter, run.present, 0)
                continue
            news = run.of(column)
            if not _fold_ordinary(run, counter, news, at_ms, moved):
                _fold_any(run, counter, news, at_ms, gaps, moved)
        _put_changes(run, at_ms, moved)
    return moved


def _fold_ordinary(
    run: Run, counter: int, news: Sequence[int | None], at_ms: int, moved: Moved
) -> bool:
    """Fold one counter of a run in which every post has both an earlier and a new value.

    Views must also have been last observed at one instant. Returns False, without a change, if
    each value has to be examined. Most posts are folded here, so all loops over posts run in C.
    """
    bucket, before_ms = run.bucket, run.before_ms
    if run.same_instant or run.lapsed:
        return False
    if counter == VIEWS and (bucket.viewed_ms or not isinstance(before_ms, int)):
        return False
    values = bucket.counters[counter]
    olds = run.take(values)
    try:
        # An unknown value (None) has no difference.
        rises = list(map(sub, cast("list[int]", news), cast("list[int]", olds)))
    except TypeError:
        return False
    gained = 0
    if any(rises):
        run.write(values, news, rises)
        if run.followers or counter in bucket.highs or min(rises) < 0:
            gained, most, top = _rise(run, counter, news, olds, moved)
        else:
            gained = sum(rises)
            if counter == VIEWS:
                most = max(rises)
                top = run.slots[rises.index(most)]
    if counter == VIEWS and gained:
        since_ms = at_ms - cast(int, before_ms)
        moved.views_pace += a_minute_of(gained, since_ms)
        moved.put_top(PostId(run.first_id + top), most, a_minute_of(most, since_ms))
    if own := run.present & ~run.following:
        moved.gains[counter] = (moved.gains[counter] or 0) + gained
        run.measured |= own
    bucket.stale[counter] &= ~run.present
    return True


def _rise(
    run: Run,
    counter: int,
    news: Sequence[int | None],
    olds: Sequence[int | None],
    moved: Moved,
) -> tuple[int, int, int]:
    """Post by post: the sum of the gains, the largest gain, and that post's slot."""
    gained = most = top = 0
    for slot, new, old in zip(run.slots, news, olds, strict=True):
        assert new is not None
        assert old is not None
        if new == old:
            continue
        moved.fell += new < old
        gain = run.bucket.rise(counter, slot, new, old)
        if gain and slot not in run.followers:
            gained += gain
            if gain > most:
                most, top = gain, slot
    return gained, most, top


def _fold_any(
    run: Run,
    counter: int,
    news: Sequence[int | None],
    at_ms: int,
    gaps: Sequence[Gap],
    moved: Moved,
) -> None:
    """Fold one counter of any run, value by value."""
    bucket = run.bucket
    values, following = bucket.counters[counter], run.following
    gains: list[tuple[int, int]] = []
    changed = unsaid = from_zero = 0
    # Bits of slots whose increment cannot be determined.
    unmeasured = run.lapsed | following
    for slot, new in zip(run.slots, news, strict=True):
        bit, old = BITS[slot], values[slot]
        if new is None:
            unsaid |= bit
            continue
        if run.lapsed & bit:
            bucket.forget_high(counter, slot)
        if new == old:
            continue
        changed |= bit
        run.changed.add(slot)
        values[slot] = new
        if old is None:
            if unmeasured & bit or not _counts_from_zero(bucket.dates_ms[slot], at_ms, gaps):
                unmeasured |= bit
            else:
                gains.append((slot, new))
                from_zero |= bit
            continue
        moved.fell += new < old
        if run.lapsed & bit:
            continue
        gain = bucket.rise(counter, slot, new, old)
        if gain and not following & bit:
            gains.append((slot, gain))
    repeated = run.same_instant & ~changed
    measured = run.present & ~(unmeasured | unsaid | repeated)
    if measured:
        moved.gains[counter] = (moved.gains[counter] or 0) + sum(gain for _, gain in gains)
    if counter == VIEWS:
        _put_pace(run, gains, from_zero, at_ms, moved)
    run.measured |= measured
    run.mark_stale(counter, unsaid, run.present & ~unsaid)


def _put_pace(
    run: Run, gains: Iterable[tuple[int, int]], from_zero: int, at_ms: int, moved: Moved
) -> None:
    """Add the gains of views, by slot, to the pace.

    `from_zero`: bits of the slots whose gain counts from the post's publication.
    """
    for slot, gain in gains:
        if from_zero & BITS[slot]:
            since_ms = cast(int, run.bucket.dates_ms[slot])
        else:
            since_ms = run.viewed_before_ms(slot)
        pace = a_minute_of(gain, at_ms - since_ms)
        moved.views_pace += pace
        moved.put_top(PostId(run.first_id + slot), gain, pace)


def a_minute_of(gain: int, since_ms: int) -> float:
    """One minute's share of a gain made in `since_ms`; never more than the gain."""
    return gain * MINUTE_MS / since_ms if since_ms > MINUTE_MS else float(gain)


def _counts_from_zero(date_ms: int | None, at_ms: int, gaps: Sequence[Gap]) -> bool:
    return date_ms is not None and observed_between(gaps, at_ms - FROM_ZERO_MS, date_ms)


def _put_changes(run: Run, at_ms: int, moved: Moved) -> None:
    moved.measured += run.measured.bit_count()
    bucket, changed = run.bucket, run.changed
    if run.same_instant:
        moved.repeated += sum(
            1 for slot in run.slots if run.same_instant & BITS[slot] and slot not in changed
        )
    if changed:
        moved.changed += compress(run.ids, map(changed.__contains__, run.slots))
    for slot, age_before_ms, before in run.crossed:
        age_ms = at_ms - cast(int, bucket.dates_ms[slot])
        post_id = PostId(run.first_id + slot)
        moved.crossings.append(
            Crossing(post_id, age_before_ms, before, age_ms, bucket.sampled(slot))
        )
