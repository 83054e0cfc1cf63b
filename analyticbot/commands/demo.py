"""`analyticbot demo`: everything, on a recording that a loopback Telegram plays."""

import argparse

from analyticbot.config import Settings
from analyticbot.flags import add_listening, duration_s, speed
from analyticbot.preflight import check_port

#: The output is for newcomers: where to look, and what went wrong.
DEFAULTS = {"ANALYTICBOT_LOG_LEVEL": "warning"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_listening(parser)
    parser.add_argument(
        "--speed", type=speed, default=60.0, metavar="N", help="N times real time (default: 60)"
    )
    parser.add_argument("--exit-after", type=duration_s, metavar="S", help="stop after S seconds")
    parser.add_argument(
        "--verbose",
        dest="ANALYTICBOT_LOG_LEVEL",
        action="store_const",
        const="info",
        help="log at level info (or set ANALYTICBOT_LOG_LEVEL)",
    )


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_port(settings.host, settings.port)
    # Its libraries take seconds to load; wrong use is reported before.
    from analyticbot.demo import demo

    await demo(settings, options.speed, options.exit_after)
    return 0
