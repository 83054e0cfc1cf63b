"""`analyticbot rebuild history`: history made anew from the log; what was there is put aside."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime

from analyticbot.config import Settings
from analyticbot.disk import fail_while_held
from analyticbot.failure import Failure
from analyticbot.installed import decisions
from analyticbot.preflight import check_folder
from analyticbot.progress import Progress
from analyticbot.rebuilding import Reach, Rebuild
from analyticbot.signals import stop_on_signals
from analyticbot.stores import opened_log
from api.times import iso
from streams.clock import SystemClock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["history"], help="what is made anew")
    parser.add_argument(
        "--yes",
        action="store_true",
        help="do not ask, though history goes back further than the log",
    )


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_folder(settings.data)
    with stop_on_signals() as stop:
        known = decisions(settings.without)
        async with opened_log(settings, known) as log:
            rebuild = Rebuild(settings, log, known.kinds)
            working = asyncio.create_task(_rebuild(rebuild, agreed=options.yes))
            stopped = asyncio.create_task(stop.wait())
            full = asyncio.create_task(fail_while_held(log))
            tasks = (working, stopped, full)
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    return await working
                if full.done():
                    await full
                raise Failure("stopped before history was complete: run it again to resume")
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def _rebuild(rebuild: Rebuild, *, agreed: bool) -> int:
    reach = await rebuild.look()
    if reach is None:
        print("going on with the rebuild that was begun")
    else:
        if reach.is_short and not agreed:
            _ask(reach)
        aside = await rebuild.begin(_stamp(SystemClock().now_ms()))
        print(f"put aside: {aside}" if aside else "there was no history to put aside", flush=True)
    with Progress(sys.stderr) as progress:
        read = await rebuild.fill(lambda done, total: progress.show("into history", done, total))
    since = f", complete from {iso(reach.log_ms) or 'now'} on" if reach and reach.is_short else ""
    print(f"{read} messages of the log are in history{since}")
    return 0


def _ask(reach: Reach) -> None:
    """Raises Failure where nobody agrees."""
    if reach.log_ms is None:
        told = "the log holds no observations: the new history would be empty"
    else:
        told = f"the log begins at {iso(reach.log_ms)}: history would be complete from then on"
    if reach.history_ms is not None:
        told += f"; it goes back to {iso(reach.history_ms)} now"
    told += ". What is older stays in what is put aside, and is not shown any more"
    if not sys.stdin.isatty():
        raise Failure(f"{told}: add --yes to continue")
    if input(f"{told}. Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise Failure("nothing was changed")


def _stamp(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
