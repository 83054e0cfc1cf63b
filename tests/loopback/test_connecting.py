"""The transports, the key exchange and signing in, with the unpatched Telethon client."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest
from telethon import errors
from telethon.crypto import AuthKey
from telethon.network.connection import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpMTProxyAbridged,
    ConnectionTcpMTProxyRandomizedIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.sessions import SQLiteSession, StringSession
from telethon.tl import functions, types

from loopback.telegram import LoopbackTelegram
from loopback.world.world import World
from streams.clock import SystemClock
from tests.loopback.conftest import USER, Stage, collect, until
from tests.patience import PATIENCE_S


@pytest.mark.parametrize(
    "connection",
    [
        ConnectionTcpFull,
        ConnectionTcpAbridged,
        ConnectionTcpIntermediate,
        ConnectionTcpObfuscated,
    ],
)
async def test_every_transport(stage: Stage, connection: type) -> None:
    client = await stage.connected(connection=connection)
    stage.world.post(stage.channel, "x" * 3000)

    assert (await client.get_me()).id == USER
    assert [m.message for m in await client.get_messages("news", limit=1)] == ["x" * 3000]


@pytest.mark.parametrize(
    ("connection", "prefix"),
    [(ConnectionTcpMTProxyAbridged, ""), (ConnectionTcpMTProxyRandomizedIntermediate, "dd")],
)
async def test_as_an_mtproxy(connection: type, prefix: str) -> None:
    secret = bytes(range(16))
    world = World(SystemClock())
    async with LoopbackTelegram(world, secret=secret) as telegram:
        stage = Stage(telegram, world.add_channel(1001, "news"))
        proxy = (telegram.host, telegram.port, prefix + secret.hex())
        client = await stage.connected(connection=connection, proxy=proxy)
        stage.world.post(stage.channel, "x" * 3000)

        assert (await client.get_messages("news", limit=1))[0].message == "x" * 3000
        await stage.close()


async def test_unknown_key_is_refused(stage: Stage) -> None:
    session = stage.telegram.session(USER)
    session.auth_key = AuthKey(b"\x02" * 256)
    client = stage.client(session, connection_retries=1)

    with pytest.raises(errors.AuthKeyNotFound):
        await client.connect()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n" + bytes(64),
        os.urandom(200),
        b"\xee" * 4 + b"\xff\xff\xff\x7f",
        b"\xef\x01" + bytes(4),
        b"\xef\x0a" + b"\x01" * 40,
    ],
)
async def test_garbage_ends_its_connection_only(
    stage: Stage, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = await stage.connected()
    reader, writer = await asyncio.open_connection(stage.telegram.host, stage.telegram.port)
    writer.write(garbage)
    writer.write_eof()
    await reader.read()
    writer.close()

    assert (await client.get_me()).id == USER
    assert "Unhandled" not in caplog.text


async def test_silent_connection_does_not_hold_the_end_up(stage: Stage) -> None:
    reader, writer = await asyncio.open_connection(stage.telegram.host, stage.telegram.port)
    # Answered by the server, so that it has accepted the first by then.
    await stage.connected()

    await asyncio.wait_for(stage.telegram.go_away(), PATIENCE_S)

    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    writer.close()


async def test_wrong_code_is_refused(stage: Stage) -> None:
    client = await stage.connected(stage.telegram.point(StringSession()))
    await client.send_code_request(stage.account.phone)
    with pytest.raises(errors.PhoneCodeInvalidError):
        await client.sign_in(stage.account.phone, "00000")


async def test_authorisation_is_carried_to_another_dc(stage: Stage) -> None:
    client = await stage.connected()
    sender = await client._borrow_exported_sender(4)
    try:
        said = await client._call(sender, functions.users.GetUsersRequest([types.InputUserSelf()]))
    finally:
        await client._return_exported_sender(sender)
        await sender.disconnect()
    assert said[0].id == USER


async def test_a_session_kept_in_a_file_catches_up(stage: Stage, tmp_path: Path) -> None:
    path = str(tmp_path / "account")
    client = await stage.connected(stage.telegram.authorise(SQLiteSession(path), USER))
    await client.get_dialogs()
    await client.disconnect()
    for _ in range(120):
        stage.world.post(stage.channel)

    client = stage.client(SQLiteSession(path), catch_up=True)
    got = collect(client)
    await client.connect()

    await until(lambda: len(got) == 120)


async def test_key_exchange_and_sign_in(stage: Stage) -> None:
    client = await stage.connected(stage.telegram.point(StringSession()))
    assert not await client.is_user_authorized()

    await client.send_code_request(stage.account.phone)
    await client.sign_in(stage.account.phone, stage.telegram.login_code)

    assert (await client.get_me()).id == USER
