"""Samples that came too late for any window: said, so that history books what they gained."""

from collections.abc import Iterable

from agents.updates.folding import Turn
from streams.analytics import LateSamples, Window


def put_late(turn: Turn) -> Iterable[Window]:
    """All samples of a message that is late; of others those older than their posts' newest."""
    moved = turn.moved
    if moved is None or not turn.sampled:
        return
    samples = turn.sampled if turn.is_late else moved.late
    if not samples:
        return
    turn.handled["late_sample"] += samples
    at_ms = turn.event.observed_at_ms
    yield LateSamples(
        channel_id=turn.event.channel_id,
        observed_at_ms=at_ms,
        offset=turn.offset,
        from_ms=at_ms,
        to_ms=max(at_ms, moved.late_to_ms),
        samples=samples,
    )
