"""`analyticbot migrate`: create the topics and bring the schemas up to date."""

import argparse

from analyticbot.config import Settings
from analyticbot.failure import Failure
from analyticbot.installed import decisions
from analyticbot.preflight import check_folder
from analyticbot.secret_key import check_secret_key, key_of
from analyticbot.stores import opened_control, opened_history, opened_log
from control.copying import copy
from control.store import ControlError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--control-from",
        metavar="URL",
        help="also copy the content of this control store: sqlite:////path/control.db",
    )


async def run(options: argparse.Namespace, settings: Settings) -> int:
    if options.control_from:
        check_secret_key(settings)
    check_folder(settings.data)
    history = opened_history(settings, migrate=False)
    log = opened_log(settings, decisions(settings.without), adjust=True)
    async with opened_control(settings), log, history as opened:
        applied = await opened.migrate()
    print("up to date" if not applied else f"applied {', '.join(applied)}")
    if options.control_from:
        await _copy(options.control_from, settings)
    return 0


async def _copy(source_url: str, settings: Settings) -> None:
    try:
        counts = await copy(source_url, settings.control, key_of(settings))
    except ControlError as error:
        raise Failure(str(error)) from error
    print("there now: " + ", ".join(f"{count} {table}" for table, count in counts.items()))
