"""`analyticbot rebuild history | TABLE`: rebuild history, or a decision's tables, from the log."""

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
from analyticbot.table_rebuild import TableRebuild, decision_of
from api.times import iso
from streams.clock import SystemClock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", metavar="history | TABLE", help="what is rebuilt; `topology` names the tables"
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="do not ask, though the log may not go back as far as what is rebuilt",
    )


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_folder(settings.data)
    with stop_on_signals() as stop:
        known = decisions(settings.without)
        decision = None if options.what == "history" else decision_of(options.what, known)
        async with opened_log(settings, known) as log:
            if decision is None:
                work = _rebuild(Rebuild(settings, log, known.kinds), agreed=options.yes)
            else:
                rebuild = TableRebuild(settings, log, decision, known)
                work = _rebuild_table(rebuild, agreed=options.yes)
            working = asyncio.create_task(work)
            stopped = asyncio.create_task(stop.wait())
            full = asyncio.create_task(fail_while_held(log))
            tasks = (working, stopped, full)
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    return await working
                if full.done():
                    await full
                raise Failure("stopped before the rebuild was complete: run it again to resume")
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


async def _rebuild_table(rebuild: TableRebuild, *, agreed: bool) -> int:
    resumed = await rebuild.resume()
    if resumed:
        print("resuming the rebuild that was begun", flush=True)
    else:
        if (reach := await rebuild.reach()).removed and not agreed:
            since = f"begins at {iso(reach.since_ms)}" if reach.since_ms else "holds nothing now"
            _agree(f"the log {since}: {rebuild.before_it}")
        await rebuild.begin(SystemClock().now_ms())
        print(f"rebuilding {rebuild.tables} from the log", flush=True)
    if not rebuild.is_own:
        print("the workers do it, also when this command is stopped", flush=True)
    with Progress(sys.stderr) as progress:
        folded = await rebuild.finish(lambda done, total: progress.show("folded", done, total))
    print(f"{folded} messages of the log are in {rebuild.tables}")
    return 0


def _ask(reach: Reach) -> None:
    """Asks for consent to the loss of older history. Raises Failure without it."""
    if reach.log_ms is None:
        told = "the log holds no observations: the new history would be empty"
    else:
        told = f"the log begins at {iso(reach.log_ms)}: history would be complete from then on"
    if reach.history_ms is not None:
        told += f"; it goes back to {iso(reach.history_ms)} now"
    _agree(f"{told}. What is older stays in what is put aside, and is not shown any more")


def _agree(told: str) -> None:
    """Asks on the terminal. Raises Failure without consent or a terminal."""
    if not sys.stdin.isatty():
        raise Failure(f"{told}: add --yes to continue")
    if input(f"{told}. Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise Failure("nothing was changed")


def _stamp(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
