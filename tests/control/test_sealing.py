"""Sessions at rest: sealed for their account by a key, and never lost for the lack of one."""

import base64
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.copying import copy
from control.key_file import KeyFile
from control.sealing import Key, KeyUnavailable, NoKey, SealedOtherwise, Sealer, parse_key
from control.sql import SqlControl, open_control
from control.store import Account
from tests.control.keys import HEX, KEY, OTHER

#: Of a session's size, and found nowhere else.
SESSION = "1" + "SecretSession_-" * 23 + "="
ANN = Account(7, SESSION, 5)


async def opened(path: Path, key: Key) -> SqlControl:
    store = open_control(f"sqlite:///{path}", key)
    await store.migrate()
    return store


async def stored(path: Path, key: Key, *accounts: Account) -> Sequence[Account]:
    """What is there after these were put."""
    store = await opened(path, key)
    try:
        for account in accounts:
            await store.accounts.put(account)
        return await store.accounts.all()
    finally:
        await store.close()


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def plain(path: Path, account: Account) -> None:
    """As the version before left it."""
    with sqlite3.connect(path) as connection:
        row = (account.id, account.session, account.added_at_ms)
        connection.execute("INSERT INTO accounts VALUES (?, ?, ?, NULL)", row)
    connection.close()


@given(st.text(), st.text(), st.binary(min_size=32, max_size=32))
def test_what_is_sealed_opens_for_its_owner_alone(secret: str, owner: str, key: bytes) -> None:
    sealer = Sealer(key)
    sealed = sealer.seal(secret, owner)
    assert sealer.opened(sealed, owner) == secret
    assert sealer.seal(secret, owner) != sealed
    with pytest.raises(SealedOtherwise):
        sealer.opened(sealed, owner + "x")


@given(st.data())
def test_what_was_changed_does_not_open(data: st.DataObject) -> None:
    sealer = KEY.to_open()
    head, _, body = sealer.seal("secret", "account/1").rpartition(":")
    changed = bytearray(base64.urlsafe_b64decode(body))
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealedOtherwise):
        sealer.opened(f"{head}:{base64.urlsafe_b64encode(changed).decode()}", "account/1")


@pytest.mark.parametrize("text", ["", "sealed:1:", "sealed:1:0:AAAA", "sealed:1:0:é"])
def test_what_is_no_sealed_text_does_not_open(text: str) -> None:
    with pytest.raises(SealedOtherwise):
        KEY.to_open().opened(text, "account/1")


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "g" * 64, " " + "0" * 64])
def test_a_wrong_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits") as raised:
        parse_key(text)
    assert not text or text not in str(raised.value)


async def test_a_session_is_sealed_where_it_is_stored(tmp_path: Path) -> None:
    assert await stored(tmp_path / "control.db", KEY, ANN) == [ANN]
    assert SESSION.encode() not in on_disk(tmp_path)
    assert b"sealed:1:" in on_disk(tmp_path)


async def test_sessions_of_the_version_before_are_sealed_and_leave_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    await stored(path, KEY)
    plain(path, ANN)
    assert SESSION.encode() in on_disk(tmp_path)
    store = await opened(path, KEY)
    # Also while it is still open: neither the file nor what is written ahead has it.
    assert SESSION.encode() not in on_disk(tmp_path)
    assert await store.accounts.all() == [ANN]
    await store.close()


async def test_without_a_key_they_stay_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "control.db"
    await stored(path, KEY)
    plain(path, ANN)
    assert await stored(path, NoKey()) == [ANN]
    assert "sessions_not_sealed" in caplog.text
    assert await stored(path, KEY) == [ANN]


@pytest.mark.parametrize(
    ("key", "says"), [(OTHER, "the key here is"), (NoKey(), "there is no key here")]
)
async def test_another_key_opens_nothing_and_changes_nothing(
    key: Key, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "control.db"
    await stored(path, KEY, ANN)
    [locked] = await stored(path, key)
    assert locked.session is None
    assert locked.locked is not None
    assert says in locked.locked
    assert "run `analyticbot login` again" in locked.locked
    assert "\n" not in locked.locked
    assert await stored(path, KEY) == [ANN]


async def test_logging_in_again_replaces_what_cannot_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    await stored(path, KEY, ANN, Account(8, "session-of-ben", 6))
    ann, ben = await stored(path, OTHER, ANN)
    assert ann == ANN
    assert ben.session is None


async def test_a_session_moved_to_another_account_does_not_open(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    await stored(path, KEY, ANN)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE accounts SET id = 8")
    connection.close()
    [account] = await stored(path, KEY)
    assert account.session is None
    assert account.locked == "its session is damaged: run `analyticbot login` again"


async def test_nothing_can_be_stored_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="make one with"):
        await stored(tmp_path / "control.db", NoKey("make one with openssl"), ANN)


def test_a_key_file_is_made_once_and_is_its_user_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "secret.key"
    assert KeyFile(path).to_open() is None
    assert not path.exists()
    name = KeyFile(path).to_seal().name
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["secret.key"]
    assert KeyFile(path).to_seal().name == name
    opened = KeyFile(path).to_open()
    assert opened is not None
    assert opened.name == name


def test_a_key_file_that_is_put_back_is_found_by_a_running_process(tmp_path: Path) -> None:
    key = KeyFile(tmp_path / "secret.key")
    assert key.to_open() is None
    (tmp_path / "secret.key").write_text(HEX + "\n")
    opened = key.to_open()
    assert opened is not None
    assert opened.name == KEY.to_open().name


async def test_a_key_file_that_holds_none_locks_and_is_not_overwritten(tmp_path: Path) -> None:
    path, key = tmp_path / "control.db", tmp_path / "secret.key"
    await stored(path, KeyFile(key), ANN)
    kept = key.read_text()
    key.write_text("damaged")
    [account] = await stored(path, KeyFile(key))
    assert account.session is None
    assert account.locked is not None
    assert "holds no key: put a copy of it back" in account.locked
    with pytest.raises(KeyUnavailable, match="holds no key"):
        await stored(path, KeyFile(key), ANN)
    assert key.read_text() == "damaged"
    key.write_text(kept)
    assert await stored(path, KeyFile(key)) == [ANN]


async def test_a_copy_stays_sealed_and_what_was_readable_is_sealed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new" / "new.db"
    await stored(old, KEY, ANN)
    plain(old, Account(8, SESSION, 6))
    await copy(f"sqlite:///{old}", f"sqlite:///{new}", KEY)
    assert await stored(new, KEY) == [ANN, Account(8, SESSION, 6)]
    assert SESSION.encode() not in on_disk(new.parent)
    other = tmp_path / "other.db"
    await copy(f"sqlite:///{old}", f"sqlite:///{other}", OTHER)
    assert "session_locked" in caplog.text
    [ann, ben] = await stored(other, KEY)
    assert ann == ANN
    assert ben.session is None
