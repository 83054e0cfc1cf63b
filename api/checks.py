"""Checks of what most roles need: the log, the live view, history."""

from collections.abc import Callable
from typing import Final

from api.live_feed import Live
from clickhouse.history import History, HistoryError, HistoryUnavailable
from clickhouse.reader import Reader
from streams.health import READY, Check, Finding, not_ready
from streams.log import Log, LogError
from streams.topics import UPDATES

#: The live view may lag the log by so many messages and still be ready.
LAG_AT_MOST: Final = 2_000


def log_check(log: Log) -> Check:
    """Whether the log answers and takes in what comes."""

    async def check() -> Finding:
        try:
            await log.bounds(UPDATES.name)
        except LogError as error:
            return not_ready(error)
        return not_ready(log.held) if log.held else READY

    return check


def live_check(live: Live) -> Check:
    """Whether the live view has caught up."""

    async def check() -> Finding:
        if live.failure:
            return not_ready(live.failure)
        if not live.ready:
            return not_ready("still reading what the log holds")
        try:
            lag = await live.lag()
        except LogError as error:
            return not_ready(error)
        return not_ready(f"{lag} messages behind the log") if lag > LAG_AT_MOST else READY

    return check


def history_check(reader: Reader) -> Check:
    """Whether history answers."""

    async def check() -> Finding:
        try:
            await reader.channels()
        except HistoryError as error:
            return not_ready(error)
        return READY

    return check


def whole_check(history: History, missing: Callable[[], int] = lambda: 0) -> Check:
    """Whether all is in history that should be: `missing` messages are being read again."""

    async def check() -> Finding:
        try:
            damage = await history.damage()
        except HistoryUnavailable as error:
            return not_ready(error)
        if damage:
            return not_ready("; ".join(damage))
        if messages := missing():
            return not_ready(f"filled again from the log: {messages} messages to go")
        return READY

    return check
