"""Values as people's scripts write them, read where they mean one thing and refused where not.

Whole floats and digits as text are numbers; an empty text, ``null`` and NaN are "not known"; an
instant is ISO 8601 with its zone, or a Unix time. Nothing is guessed: a rounded number and a time
without a zone are refused. Not for rows and files (streams.recording_rows, streams.recording).

    Misspelt    the value cannot be taken; says why, and what is accepted
"""

import json
import math
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from streams.limits import FIRST_MS, HIGHEST_COUNTER, HIGHEST_POST_ID, LAST_MS

#: What stands for "not known" where a number, an instant or a reference is expected.
_UNKNOWN = frozenset(("", "nan", "nat", "null", "none", "<na>", "n/a", "na"))
#: The same where a name is expected, for somebody may be called null.
_NO_NAME = frozenset(("", "nan", "nat", "<na>"))
_WHOLE = re.compile(r"([+-]?[0-9]{1,19})(?:\.0*)?")
_ROUNDED = re.compile(r"[0-9.,]+\s*[kKmMкКмМ]\w*")
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2})?(?:[.,](\d{1,9}))?"
    r"\s?([Zz]|UTC|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
_UNIX = re.compile(r"[0-9]{9,19}(?:\.[0-9]*)?")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff\0]")
#: Above it a float has lost digits.
_EXACT = 2**53
_INT64 = 2**63
#: Of a Unix time, how many make a second.
_UNIX_UNITS = (1, 1000, 1_000_000, 1_000_000_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

COUNT = "a whole number, 0 or more"
POST_ID = "Telegram's number of the post: a whole number above 0"
INSTANT = "UTC (2026-01-10T12:00:00Z), an offset (2026-01-10T15:00:00+03:00) or a Unix time"
REACTIONS = '{"👍": 5} or [{"emoji": "👍", "count": 5}]'


class Misspelt(ValueError):
    def __init__(self, why: str, accepted: str = "") -> None:
        super().__init__(why)
        #: Short, and the same for all values that are refused for it.
        self.why = why
        #: What to do.
        self.advice = f"write {accepted}" if accepted else ""


def is_unknown(value: object, words: Collection[str] = _UNKNOWN) -> bool:
    """Whether it says that a number, an instant or reactions are not known."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or (isinstance(value, str) and value.strip().lower() in words)


def is_no_name(value: object) -> bool:
    """The same of a channel."""
    return is_unknown(value, _NO_NAME)


def is_no_text(value: object) -> bool:
    """The same of a text, where every word may be meant."""
    return is_unknown(value, ())


def whole(value: object, accepted: str) -> int:
    """Raises Misspelt."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        if abs(value) >= _EXACT:
            raise Misspelt("is a float that has lost digits", f"{accepted}, or its digits as text")
        return int(value)
    if isinstance(value, str):
        if found := _WHOLE.fullmatch(value.strip()):
            return int(found[1])
        if _ROUNDED.fullmatch(value.strip()):
            raise Misspelt("is rounded", accepted)
    raise Misspelt("is not a whole number", accepted)


def count(value: object) -> int:
    """Of views and the like. Raises Misspelt."""
    number = whole(value, COUNT)
    if number < 0:
        raise Misspelt("is below 0", COUNT)
    if number > HIGHEST_COUNTER:
        raise Misspelt("is higher than any counter", COUNT)
    return number


def post_id(value: object) -> int:
    """Raises Misspelt."""
    number = whole(value, POST_ID)
    if not 0 < number <= HIGHEST_POST_ID:
        raise Misspelt("is not a post id", POST_ID)
    return number


def album_id(value: object) -> int:
    """Raises Misspelt."""
    number = whole(value, "a whole number")
    if not -_INT64 <= number < _INT64:
        raise Misspelt("does not fit into 64 bits", "a whole number")
    return number


def channel(value: object) -> int | str:
    """A reference to a channel: a number or a text. Raises Misspelt."""
    if isinstance(value, str):
        text_of_it = value.strip()
        found = _WHOLE.fullmatch(text_of_it)
        return int(found[1]) if found and "." in text_of_it else text_of_it
    return whole(value, "a @username or a channel id")


def text(value: object) -> str:
    """A text, or Telegram Desktop's list of plain and marked parts. Raises Misspelt."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return "".join(map(_part, value))
    raise Misspelt("is not text", 'a text, or a list of texts and {"text": …}')


def word(value: object) -> str:
    """A text on one line. Raises Misspelt."""
    if isinstance(value, str):
        return clean(value.strip())
    raise Misspelt("is not text", "a text")


def clean(value: str) -> str:
    """Without what is no character: half a surrogate pair, NUL."""
    return _SURROGATE.sub("\ufffd", value) if _SURROGATE.search(value) else value


def reactions(value: object) -> dict[str, int]:
    """By emoji, ``custom:ID`` or ``paid``. Raises Misspelt."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise Misspelt("are not reactions", REACTIONS) from None
    if isinstance(value, Mapping) and isinstance(value.get("results"), list):
        value = value["results"]
    if isinstance(value, Mapping):
        return {clean(str(name)): count(number) for name, number in value.items()}
    if not isinstance(value, list):
        raise Misspelt("are not reactions", REACTIONS)
    named = [_reaction(one) for one in value]
    if len(dict(named)) < len(named):
        raise Misspelt("name one reaction twice", REACTIONS)
    return dict(named)


def instant(value: object, zone: tzinfo | None = None) -> datetime:
    """Of any time. One without a zone is in `zone`, or refused. Raises Misspelt."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _of_unix(value)
    stripped = value.strip() if isinstance(value, str) else ""
    if _UNIX.fullmatch(stripped):
        return _of_unix(float(stripped) if "." in stripped else int(stripped))
    if (found := _INSTANT.fullmatch(stripped)) is None:
        raise Misspelt("is not a time", INSTANT)
    day, minutes, seconds, fraction, offset = found.groups()
    microseconds = (fraction or "0")[:6].ljust(6, "0")
    try:
        naive = datetime.fromisoformat(f"{day}T{minutes}{seconds or ':00'}.{microseconds}")
        return naive.replace(tzinfo=_zone_of(naive, offset, zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, Misspelt):
            raise
        raise Misspelt("is not a time", INSTANT) from None


def zone_named(name: str) -> tzinfo:
    """``UTC``, ``Europe/Moscow``, ``+03:00``. Raises ValueError."""
    if offset := _OFFSET.fullmatch(name):
        return _offset(offset[1], int(offset[2]), int(offset[3]))
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone: use UTC, +03:00 or Europe/Moscow") from None


def _zone_of(naive: datetime, offset: str | None, zone: tzinfo | None) -> tzinfo:
    """Raises ValueError."""
    if offset is not None:
        if offset in ("Z", "z", "UTC"):
            return UTC
        digits = offset[1:].replace(":", "").ljust(4, "0")
        return _offset(offset[0], int(digits[:2]), int(digits[2:]))
    if zone is None:
        raise Misspelt("has no time zone", f"{INSTANT}; or set --timezone")
    early, late = (naive.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if early != late:
        raise Misspelt(f"is not one instant in {zone}, where clocks were changed", INSTANT)
    return zone


def _offset(sign: str, hours: int, minutes: int) -> timezone:
    """Raises ValueError."""
    if minutes > 59:
        raise ValueError(f"{minutes} minutes of an offset")
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(-ahead if sign == "-" else ahead)


def _of_unix(number: float) -> datetime:
    """Between 2013 and 2100 no number is a time in two of the units."""
    if isinstance(number, float) and not math.isfinite(number):
        raise Misspelt("is not a time", INSTANT)
    for unit in _UNIX_UNITS:
        microseconds = (
            round(number * 1_000_000 / unit)
            if isinstance(number, float)
            else (number * 1_000_000 // unit)
        )
        if FIRST_MS <= microseconds // 1000 < LAST_MS:
            return _EPOCH + timedelta(microseconds=microseconds)
    raise Misspelt("is not a Unix time between 2013 and 2100", INSTANT)


def _part(part: object) -> str:
    if isinstance(part, Mapping):
        part = part.get("text")
    if not isinstance(part, str):
        raise Misspelt("is not text", 'a text, or a list of texts and {"text": …}')
    return clean(part)


def _reaction(one: object) -> tuple[str, int]:
    """One of a list: our own form, Telegram Desktop's, or Telethon's."""
    if not isinstance(one, Mapping):
        raise Misspelt("are not reactions", REACTIONS)
    kind: Any = one.get("reaction", one)
    if isinstance(kind, str):
        kind = {"emoji": kind}
    if isinstance(kind, Mapping):
        for name in ("emoji", "emoticon"):
            if isinstance(emoji := kind.get(name), str) and emoji:
                return clean(emoji), count(one.get("count"))
        if custom := kind.get("document_id"):
            return f"custom:{custom}", count(one.get("count"))
        if kind.get("type") == "paid" or kind.get("_") == "ReactionPaid":
            return "paid", count(one.get("count"))
    raise Misspelt("are not reactions", REACTIONS)
