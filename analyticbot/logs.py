"""Logs: one line per event, its name first, then its fields; for people, or as JSON for machines.

    14:03:07 WARNING collect.collector unavailable what=telegram reason="no route"

    {"time":"2025-01-01T14:03:07.512Z","level":"warning","logger":"collect.collector",
     "event":"unavailable","fields":{"what":"telegram","reason":"no route"},
     "role":"collect","instance":"collect-0"}

Callers pass the event's name as the message and its fields as `extra`.
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
#: The loggers with the operator's level. All others belong to libraries and log only warnings and
#: above: below that they are verbose, and may log the values that they work with.
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
#: The shortest interval between equal messages of a library: while a broker is unreachable, the
#: Kafka client logs it hundreds of times per second.
_AGAIN_S = 10.0
#: The number of different messages remembered.
_SAID = 1_000
#: Services of these libraries log under the name of the module that created them, so the path of
#: the code identifies them. The paths are those of installed packages: streams/faust is ours.
_SERVICES = ("-packages/mode/", "-packages/faust/")


class FieldsFormatter(logging.Formatter):
    """Appends a record's extra attributes as `name=value`, quoted if they contain spaces."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%H:%M:%S")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (overrides)
        fields = (f"{name}={_quoted(value)}" for name, value in _fields(record).items())
        return " ".join((super().formatMessage(record), *fields))


class JsonFormatter(logging.Formatter):
    """One object per line. `about` identifies the process: role, instance."""

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
    """Sends the logs of the whole process to `stream`, redacted by `redact`."""
    handler = logging.StreamHandler(stream)
    about, redact = {"role": role, "instance": instance}, redact or Redactor()
    formatter = JsonFormatter(about, redact) if form == "json" else FieldsFormatter(redact)
    handler.setFormatter(formatter)
    handler.addFilter(_is_ours)
    handler.addFilter(_without_places)
    handler.addFilter(_Sparing())
    wanted = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(logging.WARNING, wanted), handlers=[handler], force=True)
    # The server itself counts the errors of clients (api/notices.py).
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    for name in OURS:
        logging.getLogger(name).setLevel(wanted)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _is_ours(record: logging.LogRecord) -> bool:
    chatter = any(part in record.pathname for part in _SERVICES)
    return record.levelno >= logging.WARNING or not chatter


def _without_places(record: logging.LogRecord) -> bool:
    """Drops the traceback of a LogError, whose message says what to do."""
    if record.exc_info and isinstance(record.exc_info[1], LogError):
        record.exc_info = record.exc_text = None
    return True


class _Sparing(logging.Filter):
    """Limits equal messages of libraries, whatever their arguments, to one per interval."""

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
