"""The text that `analyticbot demo` prints when it is ready: addresses and coming events."""

from collections.abc import Sequence
from datetime import UTC, datetime

#: The events of any demo, one line each.
COMING = (
    "the page fills within seconds; counters move as they did when they were recorded",
    "the bot runs too, before a Telegram on loopback: nobody can write to it",
)


def taking_off(channel: str, after_ms: int, speed: float) -> str:
    """`after_ms`: from now, in the demo's time, which passes `speed` times faster."""
    wait_s = after_ms / 1000 / speed
    wait = f"{wait_s:.0f} s" if wait_s < 100 else f"{wait_s / 60:.0f} min"
    return f"in about {wait} a post of {channel} takes off, and an alert is raised"


def greeting(url: str, speed: float, now_ms: int, coming: Sequence[str] = COMING) -> str:
    """`coming`: one line per event, in the order of the events."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    lines = [
        f"AnalyticBot plays a recording of ten channels, {speed:g} times faster than it was.",
        f"  page             {url}",
        f"  API and its docs {url}/docs",
        f"  its clock says   {now:%a %d %b %H:%M} UTC",
    ]
    heads = ["what happens", *[""] * len(coming)]
    lines += [f"  {head:16} {line}" for head, line in zip(heads, coming, strict=False)]
    return "\n".join([*lines, "Ctrl-C ends it. Nothing is kept."])
