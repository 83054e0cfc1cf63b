"""What accounts meet on Telegram besides channels: limits, groups, people, notices, other names."""

from typing import Any

import pytest
from telethon import TelegramClient, errors
from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER

from loopback.limits import Limits
from loopback.mtproto.errors import RpcFailure
from loopback.world.channel import Collectible
from streams.clock import SpeededClock
from tests.loopback.conftest import Stage, collect, until


class Hands:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def limited(calls: int, per_s: int) -> tuple[Limits, Hands]:
    hands = Hands()
    limits = Limits(SpeededClock(0, 1.0, hands))
    limits.put("messages.getDialogs", calls=calls, per_s=per_s)
    return limits, hands


def wait_s(limits: Limits, user_id: int = 7) -> int:
    """0 where the call is let through."""
    try:
        limits.meet("messages.getDialogs", user_id)
    except RpcFailure as failure:
        return int(failure.message.removeprefix("FLOOD_WAIT_"))
    return 0


def test_a_limit_lets_so_many_calls_through_in_its_time() -> None:
    limits, hands = limited(3, 5)
    assert [wait_s(limits) for _ in range(3)] == [0, 0, 0]
    hands.s = 1
    assert wait_s(limits) == 4
    hands.s = 5
    assert [wait_s(limits) for _ in range(4)] == [0, 0, 0, 5]


def test_calling_during_a_wait_makes_it_longer() -> None:
    limits, hands = limited(1, 10)
    assert [wait_s(limits) for _ in range(4)] == [0, 10, 20, 40]
    hands.s = 39.9
    assert wait_s(limits) == 80
    hands.s += 80
    assert [wait_s(limits) for _ in range(2)] == [0, 10]


def test_a_limit_is_one_account_s_and_one_method_s() -> None:
    limits, _ = limited(1, 10)
    assert [wait_s(limits, 7), wait_s(limits, 8), wait_s(limits, 7)] == [0, 0, 10]
    limits.meet("messages.getHistory", 7)
    with pytest.raises(ValueError, match=r"no method 'messages\.getNothing'"):
        limits.put("messages.getNothing", calls=1, per_s=1)


async def test_telethon_meets_a_limit_as_a_flood_wait(stage: Stage) -> None:
    stage.telegram.limits.put("contacts.resolveUsername", calls=1, per_s=300)
    client = await stage.connected()
    resolve = functions.contacts.ResolveUsernameRequest("news")
    await client(resolve)
    with pytest.raises(errors.FloodWaitError) as refused:
        await client(resolve)
    assert 295 <= refused.value.seconds <= 300


async def test_dialogs_are_of_every_kind_in_pages(stage: Stage) -> None:
    world, account = stage.world, stage.account
    for n in range(60):
        world.talk(account, world.add_person(100 + n, f"person{n}", bot=n % 2 == 1))
        world.join_group(account, 500 + n, f"Group {n}")
    group = world.add_channel(2001, "talk", "Talk", kind="supergroup")
    giga = world.add_channel(2002, "giga", "Giga", kind="gigagroup")
    world.join(account, group)
    world.join(account, giga)
    client = await stage.connected()
    dialogs = [dialog async for dialog in client.iter_dialogs()]
    assert len(dialogs) == 123
    assert stage.telegram.calls.count("messages.getDialogs") == 2
    assert sum(dialog.is_user for dialog in dialogs) == 60
    assert sum(type(dialog.entity) is types.Chat for dialog in dialogs) == 60
    kinds = {
        dialog.entity.id: (
            dialog.entity.broadcast,
            dialog.entity.megagroup,
            dialog.entity.gigagroup,
        )
        for dialog in dialogs
        if type(dialog.entity) is types.Channel
    }
    assert kinds == {
        1001: (True, False, False),
        2001: (False, True, False),
        2002: (False, True, True),
    }


async def test_a_username_may_be_a_person_s_or_a_bot_s(stage: Stage) -> None:
    stage.world.add_person(31, "somebody")
    stage.world.add_person(32, "helper_bot", bot=True)
    client = await stage.connected()
    assert (await client.get_entity("somebody")).bot is False
    assert (await client.get_entity("Helper_Bot")).bot is True


async def named(client: TelegramClient, name: str) -> Any:
    return (await client(functions.contacts.ResolveUsernameRequest(name))).chats[0]


async def test_bought_usernames_stand_in_a_list_of_their_own(stage: Stage) -> None:
    names = [Collectible("bought"), Collectible("resting", active=False)]
    stage.world.rename(stage.channel, "news", names)
    client = await stage.connected()
    found = await named(client, "bought")
    assert (found.id, found.username) == (1001, None)
    assert [(n.username, n.active, n.editable) for n in found.usernames] == [
        ("news", True, True),
        ("bought", True, False),
        ("resting", False, False),
    ]
    with pytest.raises(errors.UsernameNotOccupiedError):
        await named(client, "resting")


async def test_a_username_moves_to_another_channel(stage: Stage) -> None:
    heir = stage.world.add_channel(1002, "heir", "Heir")
    stage.world.rename(stage.channel, None)
    stage.world.rename(heir, "News")
    client = await stage.connected()
    assert (await named(client, "news")).id == 1002
    with pytest.raises(errors.UsernameNotOccupiedError):
        await named(client, "heir")


async def test_service_messages_are_pushed_and_stand_in_history(stage: Stage) -> None:
    client = await stage.connected()
    await client.get_dialogs()
    got = collect(client)
    stage.world.post(stage.channel, "a post")
    stage.world.serve(stage.channel, "pinned")
    stage.world.serve(stage.channel, "title")
    await until(lambda: len(got) == 3)
    assert [type(update.message) for update in got] == [types.Message] + [types.MessageService] * 2
    said = await client.get_messages("news", limit=10)
    assert [type(message.action).__name__ for message in said] == [
        "MessageActionChatEditTitle",
        "MessageActionPinMessage",
        "NoneType",
    ]
    peer = await client.get_input_entity("news")
    views = await client(functions.messages.GetMessagesViewsRequest(peer, [1, 2], increment=False))
    assert [one.views for one in views.views] == [1, None]


async def test_an_album_is_pushed_post_by_post(stage: Stage) -> None:
    client = await stage.connected()
    await client.get_dialogs()
    got = collect(client)
    album = stage.world.post_album(stage.channel, ["one", "two", "three"])
    await until(lambda: len(got) == 3)
    assert [update.message.id for update in got] == [post.post_id for post in album]
    assert {update.message.grouped_id for update in got} == {album[0].album_id}


async def test_another_layer_is_refused_by_name(stage: Stage) -> None:
    client = await stage.connected()
    nearest = functions.help.GetNearestDcRequest()
    refused = f"CONNECTION_LAYER_INVALID: layer 227 is not spoken here, only layer {LAYER}"
    # and so is everything that its key asks after that, until it says another
    for request in (functions.InvokeWithLayerRequest(227, nearest), nearest):
        with pytest.raises(errors.RPCError) as error:
            await client(request)
        assert refused in str(error.value)
    assert (await client(functions.InvokeWithLayerRequest(LAYER, nearest))).this_dc == 2
