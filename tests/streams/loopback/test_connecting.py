"""The transports, the key exchange and signing in, with the unpatched Telethon client."""

import pytest
from telethon.network.connection import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.sessions import StringSession

from tests.streams.loopback.conftest import USER, Stage


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


async def test_key_exchange_and_sign_in(stage: Stage) -> None:
    client = await stage.connected(stage.telegram.point(StringSession()))
    assert not await client.is_user_authorized()

    await client.send_code_request(stage.account.phone)
    await client.sign_in(stage.account.phone, stage.telegram.login_code)

    assert (await client.get_me()).id == USER
