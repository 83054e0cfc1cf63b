"""Opens the log, history and control store as configured, and closes them.

A store that cannot be opened raises Failure, in one line.
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
    """The log, with all topics created. Raises Failure.

    `adjust` applies the configured retention to existing topics; an embedded log is always
    adjusted. `decisions` defaults to the program's own. `clock` dates the observations of this
    process's sources; it defaults to the machine's.
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
    """The partitions of every topic: as many as the log already has, else as configured."""
    return len(await log.partitions(UPDATES.name)) or settings.partitions


def wanted_topics(settings: Settings, decisions: Decisions | None = None) -> Sequence[Topic]:
    """All topics that must exist before anything runs, with the configured retention.

    Includes the agents' changelogs and dead letters on Kafka, where agents create no topics.
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
    """History, with its schema up to date unless `migrate` is False.

    Raises Failure; HistoryError if the migration fails.
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
    """The control store, with its schema up to date. Raises Failure, also for a ControlError within
    the block.
    """
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
    """The control store for reading, without its key and not migrated. Raises Failure.

    None if its file does not exist. Its methods raise while it is unavailable. In a cluster, a role
    that only reads needs neither the store nor its secrets.
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
    """Opening a missing SQLite file would create it."""
    file = file_of(control_url)
    return file is None or file.is_file()
