"""The role `bot`, told where its Telegram is."""

import asyncio
import sys

from analyticbot.config import read_settings, secrets_of
from analyticbot.logs import set_up_logs
from analyticbot.modes import keep_new_files_private
from analyticbot.redacting import Redactor
from analyticbot.roles.starting import run_bot

if __name__ == "__main__":
    settings = read_settings()
    redact = Redactor(secrets_of(settings))
    set_up_logs(settings.log_level, settings.log_format, redact=redact)
    keep_new_files_private()
    asyncio.run(run_bot(settings, sys.argv[1]))
