"""Samples that came too late for any window: reported, so that history books their gains."""

from collections.abc import Iterable

from agents.updates.folding import Fold
from streams.analytics import LateSamples, Window


def put_late(fold: Fold) -> Iterable[Window]:
    """Report all samples of a late message; of any other, those older than their posts' newest."""
    moved = fold.moved
    if moved is None or not fold.sampled:
        return
    samples = fold.sampled if fold.is_late else moved.late
    if not samples:
        return
    fold.handled["late_sample"] += samples
    at_ms = fold.event.observed_at_ms
    yield LateSamples(
        channel_id=fold.event.channel_id,
        observed_at_ms=at_ms,
        offset=fold.offset,
        from_ms=at_ms,
        to_ms=max(at_ms, moved.late_to_ms),
        samples=samples,
    )
