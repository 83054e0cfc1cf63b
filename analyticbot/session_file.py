"""The session file of earlier versions, taken over into the control store once."""

import asyncio
import hashlib
import logging
from contextlib import suppress
from pathlib import Path

from telethon.sessions import SQLiteSession, StringSession

from analyticbot.config import Settings
from control.store import Account, ControlStore

logger = logging.getLogger(__name__)

IMPORTED = ".imported"


def session_path(settings: Settings) -> Path:
    return settings.data / "telegram.session"


async def import_session(settings: Settings, control: ControlStore, now_ms: int) -> None:
    """Nothing happens where there is no such file. It is renamed, so that this happens once.

    Raises ControlError.
    """
    path = session_path(settings)
    if not path.is_file() or (account := await asyncio.to_thread(_account, path, now_ms)) is None:
        return
    known = {one.id for one in await control.accounts.all()}
    if account.id not in known:
        await control.accounts.put(account)
    with suppress(FileNotFoundError):
        path.rename(path.with_name(path.name + IMPORTED))
    logger.info("session_imported", extra={"account": account.id})


def _account(path: Path, now_ms: int) -> Account | None:
    """None where nobody has signed in with it."""
    session = SQLiteSession(str(path))
    try:
        if not session.auth_key:
            return None
        # The file does not say whose it is; its key tells it from others.
        digest = hashlib.sha256(session.auth_key.key).digest()
        return Account(-int.from_bytes(digest[:7], "big"), StringSession.save(session), now_ms)
    finally:
        session.close()
