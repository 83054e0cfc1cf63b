"""Increments of counters between samples.

A gain is the increment of one counter of a post over its highest value so far, between two
successive samples in which it was said. The first value of a counter is a baseline, which gains
nothing, except for a post that appeared while its channel was observed: there was an observation
before its date, at most 24 h before the sample. Such a counter counts from 0. After 90 days without
a sample the next one is a baseline again. A counter that falls gains nothing, nor does it when it
comes back; the lower value is the newest. A sample older than the post's newest one is late and
changes nothing. Of an album only the leader gains.

The pace tells how fast views are gained whatever the distance between samples: of a gain it takes
the share of one minute, as if the views had come evenly since they were said last.
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
    """Counters of some posts at one instant: a column for each, in their order."""

    observed_at_ms: int
    post_ids: Sequence[PostId]
    columns: tuple[Column, Column, Column, Column]

    @property
    def tells(self) -> bool:
        """Whether it has any counter of any post."""
        return any(
            column is not None and any(value is not None for value in column)
            for column in self.columns
        )


class Top(msgspec.Struct, frozen=True, array_like=True):
    """The post that raised the pace most, by how many views a minute, and what it gained."""

    post_id: PostId
    views_gained: int
    pace: float

    def or_higher(self, other: "Top") -> "Top":
        """The higher one; of one post both together."""
        if self.post_id == other.post_id:
            return Top(self.post_id, self.views_gained + other.views_gained, self.pace + other.pace)
        return other if other.pace > self.pace else self


class Moved(msgspec.Struct):
    """What a sample changed."""

    #: By counter; None where no increment could be measured.
    gains: list[int | None] = msgspec.field(default_factory=lambda: [None] * COUNTERS)
    #: Views a minute: the gains of views, each as the share of it that falls in one minute.
    views_pace: float = 0.0
    #: The post that gained the most views a minute.
    top: Top | None = None
    #: Posts whose sample gave an increment of any counter, be it 0.
    measured: int = 0
    #: Counters that fell.
    fell: int = 0
    #: Posts whose sample was older than their newest.
    late: int = 0
    #: The newest instant at which one of those had been sampled.
    late_to_ms: int = -1
    #: Posts that had been sampled at this very instant, with the same counters.
    repeated: int = 0
    #: Posts whose newest counters changed.
    changed: list[PostId] = []
    crossings: list[Crossing] = []

    def put_top(self, post_id: PostId, gain: int, pace: float) -> None:
        if gain and (self.top is None or pace > self.top.pace):
            self.top = Top(post_id, gain, pace)


def fold_sample(buckets: Buckets, sample: Sample, gaps: Sequence[Gap]) -> Moved:
    """Fold a sample into the rows of its posts, in place. The pipeline's innermost loop.

    `gaps` are those in the observation of the channel, this sample included.
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
    """Fold one counter of a run whose posts all had it before and have it now.

    Views also have to have been said at one instant. False: nothing was done, each value has to
    be looked at. What is done here for each post is done by C: most posts are folded here.
    """
    bucket, before_ms = run.bucket, run.before_ms
    if run.same_instant or run.lapsed:
        return False
    if counter == VIEWS and (bucket.viewed_ms or not isinstance(before_ms, int)):
        return False
    values = bucket.counters[counter]
    olds = run.take(values)
    try:
        # What is not known has no difference.
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
    """Post by post: what all gained, what the one gained that gained most, and its slot."""
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
    """Fold one counter of any run."""
    bucket = run.bucket
    values, following = bucket.counters[counter], run.following
    gains: list[tuple[int, int]] = []
    changed = unsaid = from_zero = 0
    # Bits of slots whose increment cannot be told.
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
    """Views a minute, of slots and their gains; some (bits) gained since they were published."""
    for slot, gain in gains:
        if from_zero & BITS[slot]:
            since_ms = cast(int, run.bucket.dates_ms[slot])
        else:
            since_ms = run.viewed_before_ms(slot)
        pace = a_minute_of(gain, at_ms - since_ms)
        moved.views_pace += pace
        moved.put_top(PostId(run.first_id + slot), gain, pace)


def a_minute_of(gain: int, since_ms: int) -> float:
    """The share of one minute in what was gained in so long. Not more than the gain."""
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
