"""Imports the session file of earlier versions into the control store, once.

The import removes the file, because any reader of it can act as its user.
"""

import asyncio
import hashlib
import logging
import os
from pathlib import Path

from telethon.sessions import SQLiteSession, StringSession

from analyticbot.config import Settings
from control.store import Account, ControlStore

logger = logging.getLogger(__name__)

#: The suffix that earlier versions gave to an imported file.
_IMPORTED = ".imported"
#: SQLite's files beside a database.
_BESIDE = ("-journal", "-wal", "-shm")


def session_path(settings: Settings) -> Path:
    return settings.data / "telegram.session"


async def import_session(settings: Settings, control: ControlStore, now_ms: int) -> None:
    """Called at start, before accounts are used. Skips a missing file, and one without a login.

    Does not replace an account of the control store unless it is locked. Removes the file after the
    import. Raises ControlError; then the file stays.
    """
    path = session_path(settings)
    if path.is_file() and (account := await asyncio.to_thread(_account, path, now_ms)) is not None:
        known = {one.id for one in await control.accounts.all() if not one.locked}
        if account.id not in known:
            await control.accounts.put(account)
        logger.info("session_imported", extra={"account": account.id})
        await asyncio.to_thread(_wipe, path)
    await asyncio.to_thread(_wipe, path.with_name(path.name + _IMPORTED))


def _account(path: Path, now_ms: int) -> Account | None:
    """None if the file has no login."""
    session = SQLiteSession(str(path))
    try:
        if not session.auth_key:
            return None
        # The file does not name its user; its key distinguishes it from others.
        digest = hashlib.sha256(session.auth_key.key).digest()
        return Account(-int.from_bytes(digest[:7], "big"), StringSession.save(session), now_ms)
    finally:
        session.close()


def _wipe(path: Path) -> None:
    """Overwrites and removes the file and SQLite's files beside it; warns about failures."""
    for file in (path, *(path.with_name(path.name + end) for end in _BESIDE)):
        try:
            with file.open("r+b") as opened:
                opened.write(bytes(os.fstat(opened.fileno()).st_size))
                opened.flush()
                os.fsync(opened.fileno())
            file.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            fields = {"file": str(file), "reason": error.strerror}
            logger.warning("session_file_not_removed", extra=fields)
