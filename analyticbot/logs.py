"""Logs: one line an event, its name first, then its fields; for people, or as JSON for machines.

    14:03:07 WARNING collect.collector unavailable what=telegram reason="no route"

    {"time":"2025-01-01T14:03:07.512Z","level":"warning","logger":"collect.collector",
     "event":"unavailable","fields":{"what":"telegram","reason":"no route"},
     "role":"collect","instance":"collect-0"}

A logger is given an event's name and its fields in `extra`.
"""

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import msgspec

from analyticbot.redacting import Redactor
from streams.log import LogError
from streams.tracing import current_trace_id

Form = Literal["text", "json"]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
#: Whose level is the operator's. All others are libraries: they are listened to from a warning on,
#: for below it they say much in the course of nothing, and the values that they work with.
OURS = (
    "agents",
    "analyticbot",
    "api",
    "bot",
    "clickhouse",
    "collect",
    "control",
    "loopback",
    "streams",
    "tables",
)
#: How often a library is listened to when it says the same: while a broker is away, the client
#: of Kafka says so hundreds of times a second.
_AGAIN_S = 10.0
#: How many different things are remembered to have been said.
_SAID = 1_000
#: Services of these libraries speak under the name of whoever made them. Where they are installed:
#: what is in streams/faust is ours.
_SERVICES = ("-packages/mode/", "-packages/faust/")


class FieldsFormatter(logging.Formatter):
    """Appends a record's extra attributes as `name=value`, quoted where they hold spaces."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%H:%M:%S")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (overrides)
        fields = (f"{name}={_quoted(value)}" for name, value in _fields(record).items())
        return " ".join((super().formatMessage(record), *fields))


class JsonFormatter(logging.Formatter):
    """One object a line. `about` says which process it is: role, instance."""

    def __init__(self, about: Mapping[str, str], redact: Redactor) -> None:
        super().__init__()
        self._redact = redact
        self._about = {name: value for name, value in about.items() if value}

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            "fields": _fields(record),
            **self._about,
        }
        if trace_id := current_trace_id():
            line["trace_id"] = trace_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return self._redact(msgspec.json.encode(line, enc_hook=str).decode())


def set_up_logs(
    level: str,
    form: Form = "text",
    *,
    role: str = "",
    instance: str = "",
    stream: TextIO = sys.stderr,
    redact: Redactor | None = None,
) -> None:
    """Send the logs of the whole process to `stream`, without the secrets that `redact` knows."""
    handler = logging.StreamHandler(stream)
    about, redact = {"role": role, "instance": instance}, redact or Redactor()
    formatter = JsonFormatter(about, redact) if form == "json" else FieldsFormatter(redact)
    handler.setFormatter(formatter)
    handler.addFilter(_is_ours)
    handler.addFilter(_without_places)
    handler.addFilter(_Sparing())
    wanted = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(logging.WARNING, wanted), handlers=[handler], force=True)
    # Of what clients do wrong, the server itself keeps count (api/notices.py).
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    for name in OURS:
        logging.getLogger(name).setLevel(wanted)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _is_ours(record: logging.LogRecord) -> bool:
    chatter = any(part in record.pathname for part in _SERVICES)
    return record.levelno >= logging.WARNING or not chatter


def _without_places(record: logging.LogRecord) -> bool:
    """Where in this program a log failed helps nobody: its message says what to do."""
    if record.exc_info and isinstance(record.exc_info[1], LogError):
        record.exc_info = record.exc_text = None
    return True


class _Sparing(logging.Filter):
    """Lets a library say the same, whatever it is filled in with, once in a while."""

    def __init__(self) -> None:
        super().__init__()
        self._said_s: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] in OURS:
            return True
        what = (record.name, str(record.msg))
        if record.created - self._said_s.get(what, -_AGAIN_S) < _AGAIN_S:
            return False
        if len(self._said_s) >= _SAID:
            self._said_s.clear()
        self._said_s[what] = record.created
        return True


def _quoted(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text or not text else text
