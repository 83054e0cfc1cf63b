"""`analyticbot follow`: channels to be observed."""

import argparse

from analyticbot.config import ConfigError, Settings
from analyticbot.stores import opened_control
from streams.clock import SystemClock
from streams.ids import InvalidChannel, parse_channel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("channel", nargs="+", help="@username, or an id in any spelling")


async def run(options: argparse.Namespace, settings: Settings) -> int:
    references = checked_references(options.channel)
    async with opened_control(settings) as control:
        for reference in references:
            await control.follow(reference, SystemClock().now_ms())
            print(f"following {reference}")
    return 0


def checked_references(spellings: list[str]) -> list[str]:
    """Each channel in its one spelling, so that none is followed twice. Raises ConfigError."""
    try:
        return [str(parse_channel(spelling)) for spelling in spellings]
    except InvalidChannel as error:
        raise ConfigError(str(error)) from error
