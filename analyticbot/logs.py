"""Logs: one line an event, its name first, then its fields.

    14:03:07 WARNING streams.sources.telegram telegram_away reason="connection refused" pause_s=4

A logger is given an event's name and its fields in `extra`.
"""

import logging
import sys
from typing import TextIO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
#: Libraries that say much in the course of nothing.
_QUIET = (
    "faust", "mode", "aiokafka", "telethon", "aiogram", "uvicorn", "clickhouse_connect", "asyncio",
)  # fmt: skip
#: Services of these libraries speak under the name of whoever made them.
_SERVICES = ("/mode/", "/faust/")


class FieldsFormatter(logging.Formatter):
    """Appends a record's extra attributes as `name=value`, quoted where they hold spaces."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (overrides)
        fields = (
            f"{name}={_quoted(value)}"
            for name, value in vars(record).items()
            if name not in _STANDARD
        )
        return " ".join((super().formatMessage(record), *fields))


def set_up_logs(level: str, stream: TextIO = sys.stderr) -> None:
    """Send the logs of the whole process to `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(FieldsFormatter())
    handler.addFilter(_is_ours)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))


def _is_ours(record: logging.LogRecord) -> bool:
    chatter = any(part in record.pathname for part in _SERVICES)
    return record.levelno >= logging.WARNING or not chatter


def _quoted(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text or not text else text
