"""`analyticbot login`: sign in to Telegram and keep the session in the control store."""

import argparse

from telethon import TelegramClient, errors
from telethon.sessions import StringSession

from analyticbot.config import Settings
from analyticbot.failure import Failure
from analyticbot.preflight import check_credentials, check_folder
from analyticbot.secret_key import check_secret_key, key_path
from analyticbot.stores import opened_control
from control.opening import shown
from control.store import Account
from streams.clock import SystemClock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds no arguments."""


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_credentials(settings)
    check_secret_key(settings)
    check_folder(settings.data)
    async with opened_control(settings) as control:
        name, account = await _signed_in(settings, new_session())
        for known in await control.accounts.all():
            if (known.refused or known.locked) and known.id < 0:
                # Of an earlier version's file, and of no use any more.
                await control.accounts.remove(known.id)
        await control.accounts.put(account)
    print(f"signed in as {name}; the session is sealed in {shown(settings.control)}")
    if not settings.secret_key:
        print(f"its key is {key_path(settings)}: who has both is signed in as {name}")
    return 0


def new_session() -> StringSession:
    """A session without a login, for Telegram's own servers."""
    return StringSession()


async def _signed_in(settings: Settings, session: StringSession) -> tuple[str, Account]:
    """Asks on the terminal. Raises Failure."""
    client = TelegramClient(session, settings.telegram_api_id, settings.telegram_api_hash)
    try:
        await client.start()
        me = await client.get_me()
    except (errors.RPCError, OSError, EOFError, ValueError) as error:
        raise Failure(f"Telegram did not sign you in: {error}") from error
    finally:
        await client.disconnect()
    return me.first_name, Account(me.id, session.save(), SystemClock().now_ms())
