"""`analyticbot replay`: write a recording, or another log, into the log and wait for history.

Not for the text of its report (analyticbot.replay_report).
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from agents.history.writer import HistoryAgent
from analyticbot.arrival import Arrived, arrival
from analyticbot.config import Settings
from analyticbot.disk import fail_while_held
from analyticbot.draining import drained
from analyticbot.failure import Failure
from analyticbot.flags import speed_or_max
from analyticbot.installed import Decisions, decisions
from analyticbot.moving import check_is_another, log_in, move_from
from analyticbot.preflight import check_folder
from analyticbot.process import Process, is_embedded, started
from analyticbot.progress import Progress
from analyticbot.replay_report import of_moved, of_recording
from analyticbot.roles.work import work
from analyticbot.signals import stop_on_signals
from analyticbot.stores import opened_history, opened_log
from clickhouse.history import History, HistoryError
from streams.clock import SystemClock
from streams.log import Log, LogError, LogInUse
from streams.metrics import Metrics
from streams.publisher import Publisher
from streams.recording import Recording, RecordingError
from streams.sources.moved_log import Moved
from streams.sources.replay import Replayed, replay
from streams.spellings import zone_named

T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="DIR", help="a recording, or a log to move: its folder, or kafka://…"
    )
    parser.add_argument(
        "--speed",
        type=speed_or_max,
        default="max",
        metavar="N|max",
        help="N times faster than it was recorded (default: max)",
    )
    parser.add_argument(
        "--timezone",
        type=zone,
        metavar="ZONE",
        help="the time zone of times without one: UTC, +03:00, Europe/Moscow (default: such times"
        " are refused)",
    )
    parser.epilog = "docs/RECORDINGS.md describes the files of a recording, field by field."


def zone(text: str) -> tzinfo:
    """A time zone of the command line. Raises argparse.ArgumentTypeError."""
    try:
        return zone_named(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_folder(settings.data)
    if url := log_in(options.source):
        check_is_another(url, settings)
        _print(of_moved(await _processed(settings, lambda work: _move(work, url))))
        return 0
    now_ms = SystemClock().now_ms()
    try:
        recording = Recording(Path(options.source), options.timezone, now_ms)
    except RecordingError as error:
        raise Failure(str(error)) from error
    replayed, arrived = await _processed(
        settings, lambda work: _replay(work, recording, options.speed)
    )
    _print(of_recording(recording, replayed, arrived))
    if arrived.missing_posts:
        return 1
    if not arrived.rows:
        raise Failure(f"nothing of {options.source} was taken")
    return 0


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


class Work(NamedTuple):
    process: Process
    #: None in a cluster, whose workers process the messages.
    history: History | None
    #: The writer of history in this process; None in a cluster.
    storing: HistoryAgent | None


async def _processed(settings: Settings, do: Callable[[Work], Coroutine[Any, Any, T]]) -> T:
    """Runs `do` beside the processing and returns its result. Raises Failure if interrupted."""
    with stop_on_signals() as stop:
        async with _processing(settings) as on:
            working = asyncio.create_task(do(on))
            working.add_done_callback(lambda _: stop.set())
            try:
                await on.process.services.watch(stop)
            except Failure:
                # The same cause may have ended this task as well; it is reported once.
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
                raise
            if not working.done():
                working.cancel()
                raise Failure("stopped before all was in history; a further replay completes it")
            return await working


@asynccontextmanager
async def _processing(settings: Settings) -> AsyncIterator[Work]:
    """Processes an embedded log in this process; a cluster's workers process theirs."""
    known = decisions(settings.without)
    async with _own_log(settings, known) as log:
        if not is_embedded(settings):
            async with started(settings, log, SystemClock(), Metrics(), known) as process:
                yield Work(process, None, None)
            return
        async with (
            opened_history(settings) as history,
            started(settings, log, SystemClock(), Metrics(), known) as process,
        ):
            storing = work(process, history)
            process.services.add("log", fail_while_held(log))
            yield Work(process, history, storing)


@asynccontextmanager
async def _own_log(settings: Settings, known: Decisions) -> AsyncIterator[Log]:
    """Raises Failure."""
    try:
        async with opened_log(settings, known) as log:
            yield log
    except Failure as error:
        if isinstance(error.__cause__, LogInUse):
            # Without the cause, whose advice suits readers: this command writes.
            raise Failure(f"{error}: stop it, run replay, then start it again") from None
        raise


async def _replay(
    on: Work, recording: Recording, speed: float | Literal["max"]
) -> tuple[Replayed, Arrived]:
    process = on.process
    with Progress(sys.stderr) as progress:
        try:
            async with Publisher(process.log, process.metrics) as publisher:
                replayed = await replay(
                    recording,
                    process.log,
                    publisher,
                    speed,
                    progress=lambda so_far: progress.show(
                        "into the log", so_far.messages, so_far.messages_total
                    ),
                )
            progress.say("waiting for history")
            await drained(process.log, on.storing, process.decisions.plan)
            processed_here = process.metrics if on.history is not None else None
            return replayed, await arrival(replayed, process.log, on.history, processed_here)
        except (LogError, HistoryError) as error:
            raise Failure(str(error)) from error


async def _move(on: Work, url: str) -> Moved:
    log = on.process.log
    with Progress(sys.stderr) as progress:
        try:
            moved = await move_from(
                url,
                log,
                lambda so_far: progress.show(
                    "into the log", so_far.messages, so_far.messages_total
                ),
            )
            progress.say("waiting for history")
            await drained(log, on.storing, on.process.decisions.plan)
        except (LogError, HistoryError) as error:
            raise Failure(str(error)) from error
    return moved
