"""Parsers of options: each returns the value of a text, or raises ValueError, whose message names
the accepted values.
"""

import re
from collections.abc import Callable
from typing import cast, get_args
from urllib.parse import urlsplit

from analyticbot.logs import Form
from api.addresses import networks
from api.settings import STRONG, is_strong
from clickhouse.opening import WrongHistoryUrl, check_history_url
from control.sealing import parse_key
from streams.kafka.settings import SCHEME as KAFKA
from streams.kafka.settings import WrongKafkaUrl, settings_of


def port(text: str) -> int:
    number = _whole(text)
    if number is None or number > 65535:
        raise ValueError("use a number from 0 to 65535 (0 takes a free one)")
    return number


def positive(text: str) -> int:
    number = _whole(text)
    if not number:
        raise ValueError("use a whole number above 0")
    return number


def natural(text: str) -> int:
    number = _whole(text)
    if number is None:
        raise ValueError("use a whole number")
    return number


def tables_mib(text: str) -> int:
    number = _whole(text)
    if number is None or number < 5:
        raise ValueError("use a whole number of at least 5")
    return number


def lease_s(text: str) -> int:
    number = _whole(text)
    if number is None or not 3 <= number <= 600:
        raise ValueError("use a whole number from 3 to 600")
    return number


def level(text: str) -> str:
    levels = ("debug", "info", "warning", "error")
    if text.lower() not in levels:
        raise ValueError(f"use one of {', '.join(levels)}")
    return text.lower()


def form(text: str) -> Form:
    if text.lower() not in get_args(Form):
        raise ValueError(f"use one of {', '.join(get_args(Form))}")
    return cast(Form, text.lower())


def share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 1:
        raise ValueError("use a number from 0 to 1")
    return number


def url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        parts = urlsplit(text)
        if text and (parts.scheme not in schemes or not (parts.netloc or parts.path.strip("/"))):
            raise ValueError("use " + " or ".join(f"{scheme}://…" for scheme in schemes))
        return text

    return parse


def log_url(text: str) -> str:
    if text.startswith(f"{KAFKA}:"):
        try:
            settings_of(text)
        except WrongKafkaUrl as error:
            raise ValueError(str(error)) from error
        return text
    return url("embedded", KAFKA)(text)


def history_url(text: str) -> str:
    if text:
        try:
            check_history_url(text)
        except WrongHistoryUrl as error:
            raise ValueError(str(error)) from error
    return text


def api_key(text: str) -> str:
    if text and not is_strong(text):
        raise ValueError(STRONG)
    return text


def proxies(text: str) -> tuple[str, ...]:
    given = tuple(part.strip() for part in text.split(",")) if text else ()
    try:
        networks(given)
    except ValueError:
        raise ValueError(
            "use addresses or networks separated by commas, such as 10.0.0.5,10.1.0.0/16"
        ) from None
    return given


def chats(text: str) -> frozenset[int]:
    try:
        return frozenset(int(chat) for chat in text.split(","))
    except ValueError:
        raise ValueError("use chat ids separated by commas, such as 1234,-100567") from None


def names(text: str) -> tuple[str, ...]:
    given = tuple(part.strip() for part in text.split(",")) if text else ()
    if not all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in given):
        raise ValueError("give names with commas, such as records,streaks")
    return given


def secret_key(text: str) -> str:
    parse_key(text)
    return text


def instance(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", text):
        raise ValueError("use letters, digits, dots, dashes and underscores")
    return text


def text(text: str) -> str:
    return text


def _whole(text: str) -> int | None:
    """None if the text is not a whole number, or has more than 15 digits."""
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None
