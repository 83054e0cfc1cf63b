"""`analyticbot demo`: everything, on a recording that a Telegram on loopback plays."""

import argparse

from analyticbot.config import Settings
from analyticbot.preflight import check_port


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, metavar="N", help="the page's port (default: 8000)")
    parser.add_argument(
        "--speed", type=_speed, default=60.0, metavar="N", help="times faster (default: 60)"
    )
    parser.add_argument(
        "--exit-after", type=float, metavar="S", help="end by itself after so many seconds"
    )


async def run(options: argparse.Namespace, settings: Settings) -> int:
    port = settings.port if options.port is None else options.port
    check_port("127.0.0.1", port)
    # The libraries behind it take seconds to load: wrong use is told before.
    from analyticbot.demo import demo

    await demo(settings, port, options.speed, options.exit_after)
    return 0


def _speed(text: str) -> float:
    number = float(text)
    if not 0 < number <= 100_000:
        raise ValueError(text)
    return number
