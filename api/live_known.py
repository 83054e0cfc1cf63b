"""Figures that the list of channels shows, from what is kept of a channel. Pure.

They are the same figures that REST has for the same time (clickhouse.evidence decides both).
"""

from collections.abc import Mapping

import msgspec

from clickhouse.evidence import Basis, Observed, segment
from streams.analytics import ActivityWindow
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS


class Known(msgspec.Struct, frozen=True):
    """A figure, and what it rests on."""

    #: None: not known.
    value: int | None
    #: Share of its time that was observed, 0 to 1.
    coverage: float
    #: How many samples, or posts, it rests on.
    n: int
    #: The newest observation used; None with none.
    as_of_ms: int | None


UNKNOWN = Known(None, 0.0, 0, None)


def hour_before(now_ms: int) -> tuple[int, int]:
    """The running minute and the 59 before it, up to now."""
    return now_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS - HOUR_MS, now_ms


def day_of(now_ms: int) -> tuple[int, int]:
    """Since midnight, UTC; at least a minute."""
    midnight_ms = now_ms // DAY_MS * DAY_MS
    return midnight_ms, max(now_ms, midnight_ms + MINUTE_MS)


def gained_in(windows: Mapping[int, ActivityWindow], from_ms: int, to_ms: int) -> Known:
    """Views gained in the minutes from `from_ms` to the one that runs at `to_ms`."""
    asked = [windows[start] for start in range(from_ms, to_ms + 1, MINUTE_MS) if start in windows]
    gains = [window.views_gained for window in asked if window.views_gained is not None]
    if not gains:
        return UNKNOWN
    sampled = Observed(
        segment(window.sampled_from_ms, window.sampled_to_ms)
        for window in asked
        if window.sampled_from_ms is not None and window.sampled_to_ms is not None
    )
    return Known(
        value=sum(gains),
        coverage=sampled.share(from_ms, to_ms),
        n=sum(window.samples for window in asked),
        as_of_ms=max((window.sampled_to_ms or 0 for window in asked), default=0) or None,
    )


def known(value: int | None, basis: Basis) -> Known:
    return Known(value, basis.coverage, basis.n, basis.as_of_ms)
