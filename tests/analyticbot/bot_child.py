"""The role `bot`, told where its Telegram is."""

import asyncio
import sys

from analyticbot.config import read_settings
from analyticbot.roles.starting import run_bot

if __name__ == "__main__":
    asyncio.run(run_bot(read_settings(), sys.argv[1]))
