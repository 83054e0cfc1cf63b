"""`analyticbot collect`: collects with free Telegram accounts, as a process of a cluster."""

import argparse

from analyticbot.config import Settings
from analyticbot.flags import add_listening
from analyticbot.preflight import check_cluster, check_credentials, check_folder, check_port
from analyticbot.secret_key import check_secret_key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_listening(parser)


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_cluster(settings, "collect")
    check_credentials(settings)
    check_secret_key(settings)
    check_folder(settings.data)
    check_port(settings.host, settings.port)
    # Its libraries take seconds to load; wrong use is reported before.
    from analyticbot.roles.starting import run_collect

    await run_collect(settings)
    return 0
