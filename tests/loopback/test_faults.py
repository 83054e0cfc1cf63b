"""What goes wrong on demand, and how the unpatched Telethon client sees it."""

import asyncio
import time

import pytest
from telethon import errors
from telethon.tl import functions

from tests.loopback.conftest import USER, Stage, collect, until
from tests.patience import PATIENCE_S

FULL = "channels.getFullChannel"


async def test_flood_wait(stage: Stage) -> None:
    client = await stage.connected()
    stage.telegram.faults.flood_wait(17, "messages.getHistory")

    with pytest.raises(errors.FloodWaitError) as caught:
        await client.get_messages("news", limit=1)

    assert caught.value.seconds == 17
    assert stage.telegram.calls.of("messages.getHistory")[0].error == "FLOOD_WAIT_17"


async def test_fault_of_the_nth_call_of_one_account(stage: Stage) -> None:
    stage.telegram.faults.rpc_error(400, "CHANNEL_PRIVATE", FULL, user_id=888, nth=2)
    client = await stage.connected()
    other = await stage.connected(stage.telegram.session(888))
    request = functions.channels.GetFullChannelRequest

    assert [bool(await client(request("news"))) for _ in range(3)] == [True] * 3
    assert await other(request("news"))
    with pytest.raises(errors.ChannelPrivateError):
        await other(request("news"))
    assert await other(request("news"))


async def test_fault_of_an_unknown_method_is_refused(stage: Stage) -> None:
    with pytest.raises(ValueError, match="getHistroy"):
        stage.telegram.faults.flood_wait(1, "messages.getHistroy")


async def test_cut_before_the_answer_is_asked_again(stage: Stage) -> None:
    client = await stage.connected()
    stage.telegram.faults.cut(FULL)

    full = await client(functions.channels.GetFullChannelRequest("news"))

    assert full.full_chat.participants_count == 4321
    assert [c.error for c in stage.telegram.calls.of(FULL)] == ["cut", None]


async def test_slow_answer_lets_others_pass(stage: Stage) -> None:
    client = await stage.connected()
    peer = await client.get_input_entity("news")
    stage.telegram.faults.delay(0.3, FULL)
    started = time.monotonic()

    slow = asyncio.create_task(client(functions.channels.GetFullChannelRequest(peer)))
    await client.get_messages(peer, limit=1)
    assert not slow.done()
    await slow

    assert time.monotonic() - started >= 0.3


async def test_dropped_connection_comes_back(stage: Stage) -> None:
    client = await stage.connected()
    got = collect(client)
    stage.telegram.drop_connections()
    await until(lambda: stage.telegram.calls.count("users.getUsers") == 2)

    stage.world.post(stage.channel)

    await until(lambda: got)


async def test_away_at_start(stage: Stage) -> None:
    await stage.telegram.go_away()
    client = stage.client(connection_retries=0)
    with pytest.raises(ConnectionError):
        await client.connect()

    await stage.telegram.come_back()
    await client.connect()

    assert (await client.get_me()).id == USER


async def test_away_for_good_ends_the_client(stage: Stage) -> None:
    client = await stage.connected(connection_retries=1)
    await stage.telegram.go_away()
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(client.disconnected, PATIENCE_S)


async def test_rotated_salt_is_learnt(stage: Stage) -> None:
    client = await stage.connected()
    for _ in range(3):
        stage.telegram.rotate_salts()
        assert (await client.get_me()).id == USER


async def test_skewed_clock_is_learnt(stage: Stage) -> None:
    stage.telegram.skew_clock(7200)
    client = await stage.connected()

    assert (await client.get_me()).id == USER
    assert abs(client._sender._state.time_offset - 7200) <= 1


async def test_clock_that_jumps_while_connected(stage: Stage) -> None:
    client = await stage.connected()
    stage.telegram.skew_clock(-7200)
    assert (await client.get_me()).id == USER


async def test_key_used_twice_is_dead(stage: Stage) -> None:
    stage.telegram.faults.one_session_per_key = True
    session = stage.telegram.session(USER)
    first = await stage.connected(session)
    copy = type(session)(session.save())
    assert (await first.get_me()).id == USER

    with pytest.raises(errors.AuthKeyDuplicatedError):
        await stage.connected(copy)
    with pytest.raises(errors.AuthKeyDuplicatedError):
        await first(functions.updates.GetStateRequest())


async def test_revoked_account(stage: Stage) -> None:
    client = await stage.connected()
    stage.telegram.revoke(USER)
    with pytest.raises(errors.AuthKeyUnregisteredError):
        await client(functions.updates.GetStateRequest())


async def test_transport_flood_ends_the_client(stage: Stage) -> None:
    client = await stage.connected()
    stage.telegram.server.send_error(-429)
    with pytest.raises(errors.InvalidBufferError):
        await asyncio.wait_for(client.disconnected, PATIENCE_S)
