"""A collector in a process of its own, with a log of its own: what it read can be looked at after
it was killed. Prints where it answers, and runs until SIGTERM.
"""

import asyncio
import sys
from pathlib import Path

from analyticbot.config import read_settings
from analyticbot.process import started
from analyticbot.roles.collect import collect
from analyticbot.roles.listening import listen
from analyticbot.signals import stop_on_signals
from analyticbot.stores import opened_control, opened_log
from collect.account import Application
from loopback.telegram import LoopbackTelegram
from streams.clock import SystemClock
from streams.metrics import Metrics
from tests.control.keys import HEX


async def main(folder: Path, control_url: str, lease_s: str) -> None:
    settings = read_settings(
        {
            "ANALYTICBOT_DATA": str(folder),
            "ANALYTICBOT_CONTROL": control_url,
            "ANALYTICBOT_LEASE_S": lease_s,
            "ANALYTICBOT_PORT": "0",
            "ANALYTICBOT_SECRET_KEY": HEX,
        },
        folder,
    )
    application = Application(LoopbackTelegram.api_id, LoopbackTelegram.api_hash)
    with stop_on_signals() as stop:
        async with (
            opened_control(settings) as control,
            opened_log(settings) as log,
            started(settings, log, SystemClock(), Metrics()) as process,
        ):
            server = await listen(process)
            collect(process, control, application)
            print(server.url, flush=True)
            await process.services.watch(stop)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
