"""Milliseconds to ISO-8601 text in UTC, and back."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, overload

from streams.units import DAY_MS, HOUR_MS, MINUTE_MS

#: 2200-01-01: history stores no later times.
LATEST_MS: Final = 7_258_118_400_000
_AGO = re.compile(r"-(\d{1,6})([mhd])")
_UNITS_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@overload
def iso(time_ms: int) -> str: ...
@overload
def iso(time_ms: None) -> None: ...


def iso(time_ms: int | None) -> str | None:
    """``2026-01-31T08:00:00Z``; with milliseconds only where there are any."""
    if time_ms is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    precision = "milliseconds" if time_ms % 1000 else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def from_text(text: str, now_ms: int) -> int:
    """A time of ISO-8601; or so many minutes, hours or days before this minute: -30m, -24h, -7d.

    Raises ValueError, OverflowError.
    """
    if ago := _AGO.fullmatch(text):
        return now_ms // MINUTE_MS * MINUTE_MS - int(ago[1]) * _UNITS_MS[ago[2]]
    return from_iso(text)


def from_iso(text: str) -> int:
    """A date or a time of ISO-8601; without an offset it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
