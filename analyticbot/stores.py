"""Log, history and control store, opened as configured and closed in order.

Whatever keeps one of them from being opened is a Failure of one line.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from analyticbot.config import Settings
from analyticbot.failure import Failure
from analyticbot.installed import Decisions, own
from analyticbot.secret_key import key_of
from clickhouse.history import History, HistoryError
from clickhouse.opening import open_history
from control.opening import file_of
from control.sql import open_control
from control.store import ControlError, ControlStore
from streams.clock import Clock
from streams.kafka.settings import SCHEME as KAFKA
from streams.log import Log, LogError
from streams.opening import open_log
from streams.topics import AGENTS, UPDATES, Topic, changelog_of


@asynccontextmanager
async def opened_log(
    settings: Settings,
    decisions: Decisions | None = None,
    clock: Clock | None = None,
    *,
    adjust: bool = False,
) -> AsyncIterator[Log]:
    """With all topics there; `adjust`: and kept as the settings say now. Raises Failure.

    The embedded log is adjusted in any case: nobody else looks after it. `decisions` are the
    program's own unless they are given. `clock` is the one by which the sources of this process
    date what they observe; without one, the machine's.
    """
    try:
        log = await open_log(settings.log, clock)
    except LogError as error:
        raise Failure(str(error)) from error
    try:
        await _make_topics(log, settings, decisions, adjust=adjust)
        yield log
    finally:
        await log.close()


async def _make_topics(
    log: Log, settings: Settings, decisions: Decisions | None, *, adjust: bool
) -> None:
    on_kafka = settings.log.startswith(f"{KAFKA}:")
    try:
        partitions = settings.partitions if on_kafka else await partitions_of(log, settings)
        for topic in wanted_topics(settings, decisions):
            found = await log.partitions(topic.name)
            if not found or adjust or not on_kafka:
                await log.create(topic, partitions)
            if found and on_kafka and len(found) != settings.partitions:
                raise Failure(
                    f"topic {topic.name} has {len(found)} partitions and ANALYTICBOT_PARTITIONS "
                    f"is {settings.partitions}: set it to {len(found)}, or move the data to topics "
                    "of their own with `analyticbot replay`"
                )
    except LogError as error:
        raise Failure(str(error)) from error


async def partitions_of(log: Log, settings: Settings) -> int:
    """Of every topic: as many as there are of observations, where there are any."""
    return len(await log.partitions(UPDATES.name)) or settings.partitions


def wanted_topics(settings: Settings, decisions: Decisions | None = None) -> Sequence[Topic]:
    """All that are to be there before anything runs, kept as configured.

    On Kafka the agents make none by themselves, so theirs are among them.
    """
    decisions = decisions or own()
    running = decisions.plan
    wanted = [*decisions.topics, *running.forwarded]
    if settings.log.startswith(f"{KAFKA}:"):
        wanted += [changelog_of(AGENTS, table) for table in running.tables]
        read = (each.topic for each in running.inputs)
        wanted += [msgspec.structs.replace(topic, name=topic.dead) for topic in read]
    return [topic.kept(settings.log_days, settings.log_mib) for topic in wanted]


@asynccontextmanager
async def opened_history(settings: Settings, *, migrate: bool = True) -> AsyncIterator[History]:
    """With its schema up to date, unless that is left to the caller.

    Raises Failure; HistoryError where the schema cannot be brought up to date.
    """
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
        control = open_control(settings.control, key_of(settings))
    except ControlError as error:
        raise Failure(str(error)) from error
    try:
        await control.migrate()
        yield control
    except ControlError as error:
        raise Failure(str(error)) from error
    finally:
        await control.close()


@asynccontextmanager
async def looked_into(settings: Settings) -> AsyncIterator[ControlStore | None]:
    """To read alone, as it is; while it is away it answers so. Raises Failure.

    None where there is none: of a cluster, a role need not be given it, nor what is secret in it.
    """
    if not _may_be_there(settings.control):
        yield None
        return
    try:
        control = open_control(settings.control)
    except ControlError as error:
        raise Failure(str(error)) from error
    try:
        yield control
    finally:
        await control.close()


def _may_be_there(control_url: str) -> bool:
    """Opening would make an empty file of a path without one."""
    file = file_of(control_url)
    return file is None or file.is_file()
