"""`analyticbot replay`: a recording into the log; ends when all of it is in history."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Literal

from analyticbot.config import Settings
from analyticbot.engine import Engine, running_engine
from analyticbot.failure import Failure
from analyticbot.preflight import check_folder
from analyticbot.progress import Progress
from analyticbot.signals import stop_on_signals
from streams.clock import SystemClock
from streams.log import LogError
from streams.metrics import Metrics
from streams.publisher import Publisher
from streams.recording import Recording, RecordingError
from streams.sources.replay import Replayed, replay


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the recording's folder")
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
    try:
        recording = Recording(options.folder)
    except RecordingError as error:
        raise Failure(str(error)) from error
    with stop_on_signals() as stop:
        async with running_engine(settings, SystemClock(), Metrics()) as engine:
            work = asyncio.create_task(_replay(engine, recording, options.speed))
            work.add_done_callback(lambda _: stop.set())
            await engine.crew.watch(stop)
            if not work.done():
                work.cancel()
                raise Failure("stopped before all was in history; a further replay completes it")
            replayed = await work
    _report(recording, replayed)
    return 0


async def _replay(engine: Engine, recording: Recording, speed: float | Literal["max"]) -> Replayed:
    with Progress(sys.stderr) as progress:
        try:
            async with Publisher(engine.log, engine.metrics) as publisher:
                replayed = await replay(
                    recording,
                    engine.log,
                    publisher,
                    speed,
                    progress=lambda so_far: progress.show(
                        "into the log", so_far.messages, so_far.messages_total
                    ),
                )
        except LogError as error:
            raise Failure(str(error)) from error
        progress.say("waiting for history")
        await engine.drained()
    return replayed


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
