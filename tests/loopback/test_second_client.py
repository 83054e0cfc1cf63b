"""Conformance: a client that shares no code with Telethon, and so none of its errors."""

import asyncio
from typing import Any

import pytest
from pyrogram import Client, raw
from pyrogram.connection import Connection
from pyrogram.crypto.rsa import PublicKey, server_public_keys

from loopback.mtproto.rsa_key import process_key
from tests.loopback.conftest import Stage
from tests.patience import PATIENCE_S


async def test_key_exchange_sign_in_and_history(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = process_key()
    monkeypatch.setitem(server_public_keys, key.fingerprint, PublicKey(key.n, key.e))
    for number in range(1, 131):
        stage.world.post(stage.channel, f"post {number} " + "x" * 100)

    def connection(**options: Any) -> Connection:
        here = {"server_address": stage.telegram.host, "port": stage.telegram.port}
        return Connection(**{**options, **here})

    client = Client(
        "second",
        api_id=1,
        api_hash="loopback",
        in_memory=True,
        connection_factory=connection,
        no_updates=True,
    )
    await client.connect()
    try:
        phone = stage.account.phone
        sent = await client.send_code(phone)
        await client.sign_in(phone, sent.phone_code_hash, stage.telegram.login_code)
        found = await client.invoke(raw.functions.contacts.ResolveUsername(username="news"))
        channel = found.chats[0]
        peer = raw.types.InputPeerChannel(channel_id=channel.id, access_hash=channel.access_hash)
        history = await client.invoke(
            raw.functions.messages.GetHistory(
                peer=peer,
                offset_id=121,
                offset_date=0,
                add_offset=0,
                limit=100,
                max_id=0,
                min_id=0,
                hash=0,
            )
        )
    finally:
        await asyncio.wait_for(client.disconnect(), PATIENCE_S)

    assert channel.title == "News"
    assert [m.id for m in history.messages] == list(range(120, 20, -1))
    assert history.messages[0].message.startswith("post 120 x")
    assert history.count == 130
