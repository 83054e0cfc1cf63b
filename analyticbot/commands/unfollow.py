"""`analyticbot unfollow`: channels to be observed no longer. What is known of them stays."""

import argparse

from analyticbot.commands.follow import checked_references
from analyticbot.config import Settings
from analyticbot.failure import Failure
from analyticbot.stores import opened_control


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("channel", nargs="+", help="@username, or an id in any spelling")


async def run(options: argparse.Namespace, settings: Settings) -> int:
    async with opened_control(settings) as control:
        for reference in checked_references(options.channel):
            if not await control.unfollow(reference):
                raise Failure(f"{reference} is not followed")
            print(f"no longer following {reference}")
    return 0
