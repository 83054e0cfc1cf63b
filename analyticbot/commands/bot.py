"""`analyticbot bot`: the Telegram bot, as a process of a cluster; further ones are standbys."""

import argparse

from analyticbot.config import Settings
from analyticbot.flags import add_listening
from analyticbot.preflight import check_bot, check_cluster, check_folder, check_port


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_listening(parser)


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_cluster(settings, "bot")
    check_bot(settings)
    check_folder(settings.data)
    check_port(settings.host, settings.port)
    # Its libraries take seconds to load; wrong use is reported before.
    from analyticbot.roles.starting import run_bot

    await run_bot(settings)
    return 0
