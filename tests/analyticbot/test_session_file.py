"""The session file of earlier versions is taken over once."""

from pathlib import Path

from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession, StringSession

from analyticbot.config import Settings, read_settings
from analyticbot.session_file import import_session, session_path
from analyticbot.stores import opened_control
from control.store import Account


def settings_of(folder: Path) -> Settings:
    return read_settings({"ANALYTICBOT_DATA": str(folder)}, folder)


def put_file(settings: Settings, key: bytes | None) -> None:
    session = SQLiteSession(str(session_path(settings)))
    session.set_dc(2, "127.0.0.1", 443)
    session.auth_key = AuthKey(key) if key else None
    session.save()
    session.close()


def sessions_in(folder: Path) -> list[Path]:
    return list(folder.glob("telegram.session*"))


async def test_a_session_becomes_an_account_once(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    put_file(settings, b"\x01" * 256)
    # What an earlier version had taken over, and did not remove.
    (tmp_path / "telegram.session.imported").write_bytes(b"\x01" * 256)
    copy = tmp_path / "the-same-file"
    copy.hardlink_to(session_path(settings))
    async with opened_control(settings) as control:
        await import_session(settings, control, 5)
        [account] = await control.accounts.all()
        assert account.session
        session = StringSession(account.session)
        assert session.auth_key.key == b"\x01" * 256
        assert (session.dc_id, session.server_address, session.port) == (2, "127.0.0.1", 443)
        # Whose it is, the file does not say.
        assert account.id < 0
        assert sessions_in(tmp_path) == []
        assert set(copy.read_bytes()) == {0}
        await control.accounts.remove(account.id)
        await import_session(settings, control, 6)
        assert await control.accounts.all() == []


async def test_the_same_file_put_back_is_the_same_account(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    async with opened_control(settings) as control:
        for now_ms in (5, 6):
            put_file(settings, b"\x01" * 256)
            await import_session(settings, control, now_ms)
        assert [account.added_at_ms for account in await control.accounts.all()] == [5]


async def test_a_file_that_nobody_signed_in_with_is_left(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    put_file(settings, None)
    async with opened_control(settings) as control:
        await control.accounts.put(Account(7, "session", 1))
        await import_session(settings, control, 5)
        assert [account.id for account in await control.accounts.all()] == [7]
    assert session_path(settings).exists()
