"""`analyticbot replay`: a recording, or another log, into the log; ends when all is in history."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from analyticbot.config import Settings
from analyticbot.disk import fail_while_held
from analyticbot.draining import drained
from analyticbot.failure import Failure
from analyticbot.moving import check_is_another, log_in, move_from
from analyticbot.preflight import check_folder
from analyticbot.process import Process, is_embedded, started
from analyticbot.progress import Progress
from analyticbot.roles.work import work
from analyticbot.signals import stop_on_signals
from analyticbot.stores import opened_history, opened_log
from streams.clock import SystemClock
from streams.log import LogError
from streams.metrics import Metrics
from streams.publisher import Publisher
from streams.recording import Recording, RecordingError
from streams.sources.moved_log import Moved
from streams.sources.replay import Replayed, replay

T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="DIR", help="a recording, or a log to move: its folder, or kafka://…"
    )
    parser.add_argument(
        "--speed",
        type=speed,
        default="max",
        metavar="N|max",
        help="how many times faster than it was recorded (default: max)",
    )


def speed(text: str) -> float | Literal["max"]:
    """Of the command line. Raises ValueError."""
    if text == "max":
        return "max"
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_folder(settings.data)
    if url := log_in(options.source):
        check_is_another(url, settings)
        _report_moved(await _processed(settings, lambda process: _move(process, url)))
        return 0
    try:
        recording = Recording(Path(options.source))
    except RecordingError as error:
        raise Failure(str(error)) from error
    replayed = await _processed(
        settings, lambda process: _replay(process, recording, options.speed)
    )
    _report(recording, replayed)
    return 0


async def _processed(settings: Settings, work: Callable[[Process], Coroutine[Any, Any, T]]) -> T:
    """What `work` returns, once all that it wrote is in history."""
    with stop_on_signals() as stop:
        async with _processing(settings) as process:
            working = asyncio.create_task(work(process))
            working.add_done_callback(lambda _: stop.set())
            await process.crew.watch(stop)
            if not working.done():
                working.cancel()
                raise Failure("stopped before all was in history; a further replay completes it")
            return await working


@asynccontextmanager
async def _processing(settings: Settings) -> AsyncIterator[Process]:
    """An embedded log is processed here; that of a cluster by its workers."""
    async with opened_log(settings) as log:
        if not is_embedded(settings):
            async with started(settings, log, SystemClock(), Metrics()) as process:
                yield process
            return
        async with (
            opened_history(settings) as history,
            started(settings, log, SystemClock(), Metrics()) as process,
        ):
            work(process, history)
            process.crew.add("log", fail_while_held(log))
            yield process


async def _replay(
    process: Process, recording: Recording, speed: float | Literal["max"]
) -> Replayed:
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
            await drained(process.log)
        except LogError as error:
            raise Failure(str(error)) from error
    return replayed


async def _move(process: Process, url: str) -> Moved:
    with Progress(sys.stderr) as progress:
        try:
            moved = await move_from(
                url,
                process.log,
                lambda so_far: progress.show(
                    "into the log", so_far.messages, so_far.messages_total
                ),
            )
            progress.say("waiting for history")
            await drained(process.log)
        except LogError as error:
            raise Failure(str(error)) from error
    return moved


def _report_moved(moved: Moved) -> None:
    print(f"{moved.messages} messages of that log are in history")
    if moved.already == moved.messages:
        print("nothing was written: all of it was in the log already")
    elif moved.already:
        print(f"{moved.already} of them were in the log already, of a replay before")


def _report(recording: Recording, replayed: Replayed) -> None:
    print(
        f"{replayed.posts} posts, {replayed.samples} samples of counters and "
        f"{replayed.subscriber_samples} of subscribers are in history"
    )
    if replayed.already == replayed.messages_total:
        print("nothing was written: all of it was in the log already")
    elif replayed.already:
        print(
            f"{replayed.already} of {replayed.messages_total} messages were in the log already, "
            "of a replay before"
        )
    if recording.problems:
        print(f"{len(recording.problems)} lines were skipped:")
        for problem in recording.problems[:_SHOWN]:
            print(f"  {problem}")


#: How many broken lines are printed; all of them are logged.
_SHOWN = 20
