"""`analyticbot login`: sign in to Telegram and keep the session."""

import argparse

from telethon import TelegramClient, errors
from telethon.sessions import SQLiteSession

from analyticbot.config import Settings
from analyticbot.failure import Failure
from analyticbot.preflight import check_credentials, check_folder
from analyticbot.telegram import session_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_credentials(settings)
    check_folder(settings.data)
    path = session_path(settings)
    client = TelegramClient(
        SQLiteSession(str(path)), settings.telegram_api_id, settings.telegram_api_hash
    )
    try:
        await client.start()
        me = await client.get_me()
    except (errors.RPCError, OSError, EOFError, ValueError) as error:
        raise Failure(f"Telegram did not sign you in: {error}") from error
    finally:
        await client.disconnect()
    path.chmod(0o600)
    print(f"signed in as {me.first_name}; the session is in {path}")
    return 0
