"""What callers may ask for: time ranges, steps, limits, and which channel they mean.

Everything that cannot be used is answered with a problem that says what would be right.
"""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from api.ports import Ports
from api.problems import Refused
from api.times import LATEST_MS, from_text
from streams.ids import ChannelId, InvalidChannel, Username, parse_channel
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS

Step = Literal["1m", "5m", "15m", "1h", "6h", "1d"]
STEPS: Final[dict[Step, int]] = {
    "1m": MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "1h": HOUR_MS,
    "6h": 6 * HOUR_MS,
    "1d": DAY_MS,
}
#: A step that is not asked for gives at most so many points; one that is, so many.
POINTS_BY_DEFAULT: Final = 300
POINTS_AT_MOST: Final = 9_000


class Range(NamedTuple):
    """[from_ms, to_ms) in event time."""

    from_ms: int
    to_ms: int


def time_range(from_: str | None, to: str | None, now_ms: int, default_ms: int) -> Range:
    """What is asked for; by default `default_ms` up to the end of the minute that runs now."""
    to_ms = -(-now_ms // MINUTE_MS) * MINUTE_MS if to is None else time_of("to", to, now_ms)
    from_ms = to_ms - default_ms if from_ is None else time_of("from", from_, now_ms)
    if from_ms >= to_ms:
        raise Refused(422, "range-unusable", "`from` must be before `to`")
    return Range(from_ms, to_ms)


def stepped(
    from_: str | None, to: str | None, step: Step | None, now_ms: int, default_ms: int
) -> tuple[Range, int]:
    """A range and its step in milliseconds; by default the finest that gives not too many points.

    A range without `from` starts at a whole step, so that its points do not move with the clock.
    """
    asked = time_range(from_, to, now_ms, default_ms)
    step_ms = _step_ms(step, asked.to_ms - asked.from_ms)
    if from_ is None:
        asked = asked._replace(from_ms=asked.from_ms // step_ms * step_ms)
    return asked, step_ms


def _step_ms(step: Step | None, length_ms: int) -> int:
    if step is None:
        fitting = (s for s in STEPS.values() if length_ms <= s * POINTS_BY_DEFAULT)
        step_ms = next(fitting, STEPS["1d"])
    else:
        step_ms = STEPS[step]
    if length_ms > step_ms * POINTS_AT_MOST:
        detail = f"more than {POINTS_AT_MOST} points: take a larger step or a shorter range"
        raise Refused(422, "range-unusable", detail)
    return step_ms


def reference(spelling: str) -> ChannelId | Username:
    """What a spelling names. Raises Refused where it is none."""
    try:
        return parse_channel(spelling)
    except InvalidChannel as error:
        raise Refused(400, "invalid-channel", str(error)) from error


async def channel_id(ports: Ports, spelling: str) -> ChannelId:
    """Which channel a spelling means. Raises Refused: 400 no spelling, 404 no channel we know."""
    named = reference(spelling)
    known = _live_channel(ports, named)
    if known is not None:
        return known
    found = await ports.reader.channel(named)
    if found is None:
        raise Refused(404, "channel-unknown", f"channel '{spelling}' has never been observed here")
    return found.id


async def channel_ids(ports: Ports, references: str | None) -> frozenset[ChannelId] | None:
    """Channels in any spelling, separated by commas; None and ``*`` are all. Raises Refused."""
    if references is None or references == "*":
        return None
    return frozenset([await channel_id(ports, part) for part in references.split(",")])


def refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    """Raises Refused when a query parameter is none of the known ones."""
    known = sorted(known)
    for name in given:
        if name not in known:
            detail = f"unknown parameter {name!r}; known: {', '.join(known) or 'none'}"
            raise Refused(400, "unknown-parameter", detail)


def _live_channel(ports: Ports, named: ChannelId | Username) -> ChannelId | None:
    view = ports.live.view
    if isinstance(named, str):
        return view.channel_named(named)
    return named if named in view.channels else None


def time_of(name: str, text: str, now_ms: int) -> int:
    """A time that a parameter gives. Raises Refused."""
    try:
        time_ms = from_text(text, now_ms)
    except (ValueError, OverflowError) as error:
        detail = (
            f"`{name}` must be an ISO-8601 time such as 2026-01-31T08:00:00Z, or a time ago such "
            f"as -24h: {text!r}"
        )
        raise Refused(400, "bad-parameter", detail) from error
    if not 0 <= time_ms < LATEST_MS:
        raise Refused(422, "range-unusable", f"`{name}` must be between 1970 and 2200: {text!r}")
    return time_ms
