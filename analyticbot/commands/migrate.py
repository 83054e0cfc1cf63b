"""`analyticbot migrate`: schemas and topics brought up to date."""

import argparse

from analyticbot.config import Settings
from analyticbot.preflight import check_folder
from analyticbot.stores import opened_control, opened_history, opened_log


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_folder(settings.data)
    history = opened_history(settings, migrate=False)
    async with opened_control(settings), opened_log(settings), history as opened:
        applied = await opened.migrate()
    print("up to date" if not applied else f"applied {', '.join(applied)}")
    return 0
