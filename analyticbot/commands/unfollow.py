"""`analyticbot unfollow`: stop following channels. Their history stays."""

import argparse

from analyticbot.commands.follow import parsed, shown
from analyticbot.config import Settings
from analyticbot.failure import Failure
from analyticbot.stores import opened_control
from streams.ids import spelling


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "channel", nargs="+", help="@username, a t.me link, or an id in any spelling"
    )


async def run(options: argparse.Namespace, settings: Settings) -> int:
    missing = []
    async with opened_control(settings) as control:
        for channel in parsed(options.channel):
            if await control.unfollow(spelling(channel)):
                print(f"{shown(channel)}: not followed any longer; its history stays")
            else:
                missing.append(shown(channel))
    if missing:
        raise Failure(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not followed")
    return 0
