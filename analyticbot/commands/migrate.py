"""`analyticbot migrate`: schemas and topics brought up to date."""

import argparse

from analyticbot.config import Settings
from analyticbot.preflight import check_folder
from analyticbot.stores import opened_control, opened_history, opened_log

NAME = "migrate"
HELP = "make the topics and bring the schemas up to date"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_folder(settings.data)
    async with opened_control(settings), opened_log(settings), opened_history(settings) as history:
        applied = await history.migrate()
    print("up to date" if not applied else f"applied {', '.join(applied)}")
    return 0
