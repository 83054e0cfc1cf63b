"""Log, history and control store, opened as configured and closed in order.

Whatever keeps one of them from being opened is a Failure of one line.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from analyticbot.config import Settings
from analyticbot.failure import Failure
from clickhouse.history import History, HistoryError
from clickhouse.opening import open_history
from control.sql import open_control
from control.store import ControlError, ControlStore
from streams import topics
from streams.log import Log, LogError
from streams.opening import open_log


@asynccontextmanager
async def opened_log(settings: Settings) -> AsyncIterator[Log]:
    """With all topics made. Raises Failure."""
    try:
        log = await open_log(settings.log)
    except LogError as error:
        raise Failure(str(error)) from error
    try:
        for topic in topics.ALL:
            kept = topic.kept(settings.log_days, settings.log_mib)
            await log.create(kept, settings.partitions)
        yield log
    finally:
        await log.close()


@asynccontextmanager
async def opened_history(settings: Settings, *, migrate: bool = True) -> AsyncIterator[History]:
    """With its schema up to date, unless that is left to the caller. Raises Failure."""
    try:
        history = await open_history(settings.history)
    except HistoryError as error:
        raise Failure(str(error)) from error
    try:
        if migrate:
            await history.migrate()
        yield history
    finally:
        await history.close()


@asynccontextmanager
async def opened_control(settings: Settings) -> AsyncIterator[ControlStore]:
    """With its schema up to date. Raises Failure."""
    try:
        control = open_control(settings.control)
    except ControlError as error:
        raise Failure(str(error)) from error
    try:
        await control.migrate()
        yield control
    except ControlError as error:
        raise Failure(str(error)) from error
    finally:
        await control.close()
