"""`analyticbot follow`: follow channels."""

import argparse

from analyticbot.config import ConfigError, Settings
from analyticbot.stores import opened_control
from api.times import iso
from control.store import ACCOUNT_LEASES, ControlStore, Followed
from streams.clock import SystemClock
from streams.ids import ChannelId, InvalidChannel, Username, parse_channel, spelling


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "channel", nargs="+", help="@username, a t.me link, or an id in any spelling"
    )


async def run(options: argparse.Namespace, settings: Settings) -> int:
    channels = parsed(options.channel)
    async with opened_control(settings) as control:
        before = {one.reference for one in await control.followed()}
        for channel in channels:
            found = await control.follow(spelling(channel), SystemClock().now_ms())
            print(f"{shown(channel)}: {_done(found, found.reference in before)}")
            before.add(found.reference)
        print(await _next(control))
    return 0


def parsed(spellings: list[str]) -> list[ChannelId | Username]:
    """The channels of all spellings. Raises ConfigError if any is invalid."""
    try:
        return [parse_channel(text) for text in spellings]
    except InvalidChannel as error:
        raise ConfigError(str(error)) from error


def shown(channel: ChannelId | Username) -> str:
    return f"@{channel}" if isinstance(channel, str) else str(channel)


def _done(found: Followed, already: bool) -> str:
    return f"followed since {iso(found.followed_since_ms)}" if already else "followed from now on"


async def _next(control: ControlStore) -> str:
    """A sentence about what happens next, or what to do."""
    if await control.leases.held(ACCOUNT_LEASES):
        return "A collector runs: it observes them within seconds; see `analyticbot channels`."
    if not await control.accounts.all():
        return "Nobody is logged in to Telegram: run `analyticbot login`, then `analyticbot up`."
    return "No collector runs: they are observed when `analyticbot up` or `collect` runs."
