"""Numbers and times as the bot writes them. An unknown number is a dash, never a zero."""

from datetime import UTC, datetime

from clickhouse.evidence import Basis

UNKNOWN = "—"
_MINUS = "−"


def figure(value: float | None) -> str:
    """12,345 · 12.3 · —; one decimal for a float below 100"""
    if value is None:
        return UNKNOWN
    is_whole = isinstance(value, int) or abs(value) >= 100
    text = f"{abs(value):,.0f}" if is_whole else f"{abs(value):,.1f}"
    return f"{_MINUS}{text}" if value < 0 else text


def change(value: int | None) -> str:
    """+12 · −3 · ±0 · —"""
    if value is None:
        return UNKNOWN
    return figure(value) if value < 0 else f"{'+' if value else '±'}{value:,}"


def percent(value: float | None) -> str:
    """12.3 % · —"""
    return UNKNOWN if value is None else f"{figure(float(value))} %"


def moment(time_ms: int | None) -> str:
    """2025-06-15 12:00 UTC · —"""
    if time_ms is None:
        return UNKNOWN
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def of_hours(coverage: float, hours: int) -> str:
    """6 of 24 h, 14 min of 24 h; rounded down; empty if (nearly) all was observed"""
    observed_h = int(coverage * hours * 10) / 10
    if observed_h >= hours - 0.1:
        return ""
    if coverage and observed_h < 1:
        return f"{int(coverage * hours * 60)} min of {hours} h"
    return f"{observed_h:g} of {hours} h"


def of_posts(basis: Basis | None, posts: int | None) -> str:
    """53 of 640 posts; empty if the figure rests on all of them"""
    if basis is None or not basis.n or basis.n == posts:
        return ""
    return f"{basis.n:,} of {posts:,} posts" if posts is not None else f"{basis.n:,} posts"
