"""Numbers and times as the bot writes them. What is not known is a dash, never a zero."""

from datetime import UTC, datetime

UNKNOWN = "—"
_MINUS = "−"


def figure(value: float | None) -> str:
    """12,345 · 12.3 · —; decimals where they matter"""
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
