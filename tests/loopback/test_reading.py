"""Channels, history and counters, as Telethon reads them."""

from collections.abc import Callable

import pytest
from telethon import TelegramClient, errors
from telethon.tl import functions, types

from loopback.calls import NotStrict
from loopback.world.account import MAX_JOINED
from loopback.world.channel import WorldPost
from loopback.world.counters import Counters, FixedCounters
from streams.ids import PostId
from tests.loopback.conftest import USER, Stage


def fill(stage: Stage, count: int) -> None:
    for number in range(1, count + 1):
        stage.world.post(stage.channel, f"post {number}")


async def history(client: TelegramClient, **options: object) -> list[int]:
    return [m.id async for m in client.iter_messages("news", **options)]


async def test_history_is_paged_by_hundreds(stage: Stage) -> None:
    fill(stage, 250)
    client = await stage.connected()

    assert await history(client, limit=250) == list(range(250, 0, -1))
    assert stage.telegram.calls.count("messages.getHistory") == 3


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"limit": 3}, [30, 29, 28]),
        ({"offset_id": 10, "limit": 2}, [9, 8]),
        ({"min_id": 27}, [30, 29, 28]),
        ({"max_id": 4}, [3, 2, 1]),
        ({"min_id": 5, "max_id": 9}, [8, 7, 6]),
        ({"add_offset": 28}, [2, 1]),
        ({"offset_id": 10, "add_offset": -3, "limit": 4}, [12, 11, 10, 9]),
        ({"reverse": True, "limit": 3}, [1, 2, 3]),
        ({"reverse": True, "min_id": 27, "limit": 9}, [28, 29, 30]),
        ({"offset_id": 1}, []),
    ],
)
async def test_history_offsets(stage: Stage, options: dict[str, int], expected: list[int]) -> None:
    fill(stage, 30)
    assert await history(await stage.connected(), **options) == expected


async def test_history_before_a_date(stage: Stage) -> None:
    for number in range(1, 6):
        post = WorldPost(PostId(number), number * 60_000)
        stage.world.publish(stage.channel, post)
    client = await stage.connected()
    third = (await client.get_messages("news", ids=3)).date

    assert await history(client, offset_date=third) == [2, 1]


async def test_posts_by_id_say_what_is_gone(stage: Stage) -> None:
    fill(stage, 3)
    stage.world.delete(stage.channel, [2])
    client = await stage.connected()

    found = await client.get_messages("news", ids=[1, 2, 3, 99])

    assert [m and m.id for m in found] == [1, None, 3, None]


async def test_views_are_positional(stage: Stage) -> None:
    fill(stage, 2)
    stage.world.set_counters(stage.channel, 2, views=70, forwards=4, replies=3)
    client = await stage.connected()
    request = functions.messages.GetMessagesViewsRequest

    said = await client(request("news", [2, 99, 1], increment=False))

    assert [v.views for v in said.views] == [70, None, 1]
    assert (said.views[0].forwards, said.views[0].replies.replies) == (4, 3)
    with pytest.raises(errors.MsgIdInvalidError):
        await client(request("news", list(range(1, 102)), increment=False))


async def test_incrementing_views_is_not_strict(stage: Stage) -> None:
    fill(stage, 1)
    client = await stage.connected()
    with pytest.raises(errors.BadRequestError):
        await client(functions.messages.GetMessagesViewsRequest("news", [1], increment=True))

    with pytest.raises(NotStrict, match="increment"):
        stage.telegram.calls.assert_strict()
    stage.telegram.calls.violations.clear()


async def test_unknown_method_is_not_strict(stage: Stage) -> None:
    client = await stage.connected()
    with pytest.raises(errors.BadRequestError):
        await client(functions.messages.GetAllDraftsRequest())

    with pytest.raises(NotStrict, match="getAllDrafts"):
        stage.telegram.calls.assert_strict()
    stage.telegram.calls.violations.clear()


async def test_full_channel(stage: Stage) -> None:
    client = await stage.connected()
    full = await client(functions.channels.GetFullChannelRequest("NEWS"))

    assert full.full_chat.participants_count == 4321
    assert full.full_chat.pts == stage.channel.pts
    assert (full.chats[0].title, full.chats[0].username) == ("News", "news")


async def test_message_has_all_of_a_post(stage: Stage) -> None:
    counters = Counters(views=9, forwards=2, replies=1, reactions={"👍": 3, "paid": 4})
    post = stage.world.post(stage.channel, "text", counters=FixedCounters(counters))
    post.media, post.album_id, post.forwarded_from = "photo", 77, "1001"
    stage.world.edit(stage.channel, post.post_id, "edited")
    client = await stage.connected()

    message = await client.get_messages("news", ids=1)

    assert message.message == "edited"
    assert message.edit_date is not None
    assert (message.views, message.forwards, message.replies.replies) == (9, 2, 1)
    assert [r.count for r in message.reactions.results] == [3, 4]
    assert message.photo is not None
    assert message.grouped_id == 77
    assert message.fwd_from.from_id == types.PeerChannel(1001)


@pytest.mark.parametrize("counters", [Counters(views=9), Counters(forwards=2), Counters()])
async def test_message_has_views_and_forwards_or_neither(stage: Stage, counters: Counters) -> None:
    stage.world.post(stage.channel, "text", counters=FixedCounters(counters))
    client = await stage.connected()

    message = await client.get_messages("news", ids=1)
    asked = functions.messages.GetMessagesViewsRequest("news", [1], increment=False)
    [alone] = (await client(asked)).views

    assert (message.views, message.forwards, message.replies) == (None, None, None)
    assert (alone.views, alone.forwards) == (counters.views, counters.forwards)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("video", lambda m: m.video),
        ("document", lambda m: m.document),
        ("poll", lambda m: m.poll),
        ("audio", lambda m: m.audio),
        ("voice", lambda m: m.voice),
        ("something else", lambda m: m.media),
    ],
)
async def test_media(stage: Stage, kind: str, found: Callable[[object], object]) -> None:
    stage.world.post(stage.channel).media = kind
    message = await (await stage.connected()).get_messages("news", ids=1)
    assert found(message) is not None


async def test_reactions_are_polled(stage: Stage) -> None:
    fill(stage, 2)
    stage.world.set_counters(stage.channel, 2, reactions={"👍": 5})
    client = await stage.connected()

    said = await client(functions.messages.GetMessagesReactionsRequest("news", [1, 2]))

    assert [(u.msg_id, u.reactions.results[0].count) for u in said.updates] == [(2, 5)]


async def test_dialogs_are_what_is_joined(stage: Stage) -> None:
    stage.world.add_channel(1002, "other", "Other")
    fill(stage, 1)
    client = await stage.connected()

    assert [d.name for d in await client.get_dialogs()] == ["News"]
    await client(functions.channels.JoinChannelRequest("other"))
    assert {d.name for d in await client.get_dialogs()} == {"News", "Other"}
    await client(functions.channels.LeaveChannelRequest("news"))
    assert [d.name for d in await client.get_dialogs()] == ["Other"]


async def test_many_dialogs_are_paged(stage: Stage) -> None:
    for number in range(230):
        channel = stage.world.add_channel(2000 + number, f"channel_{number}")
        stage.world.post(channel)
        stage.world.join(stage.account, channel)
    client = await stage.connected()

    assert len({d.id for d in await client.get_dialogs()}) == 231


async def test_too_many_channels(stage: Stage) -> None:
    for number in range(MAX_JOINED - 1):
        channel = stage.world.add_channel(2000 + number)
        stage.world.join(stage.account, channel)
    stage.world.add_channel(5000, "one_more")
    client = await stage.connected()

    with pytest.raises(errors.ChannelsTooMuchError):
        await client(functions.channels.JoinChannelRequest("one_more"))


async def test_access_hash_is_the_accounts_own(stage: Stage) -> None:
    fill(stage, 1)
    stranger = stage.world.add_account(888)
    client = await stage.connected()
    foreign = types.InputPeerChannel(1001, stranger.access_hash_of(stage.channel.channel_id))

    with pytest.raises(errors.ChannelInvalidError):
        await client.get_messages(foreign, limit=1)


async def test_private_channel_answers_subscribers_only(stage: Stage) -> None:
    client = await stage.connected()
    peer = await client.get_input_entity("news")
    stage.channel.private = True
    assert await client.get_messages(peer, limit=1) == []

    stage.world.leave(stage.account, stage.channel)

    with pytest.raises(errors.ChannelPrivateError):
        await client.get_messages(peer, limit=1)


async def test_unknown_username(stage: Stage) -> None:
    client = await stage.connected()
    with pytest.raises(ValueError, match="nobody_here"):
        await client.get_entity("nobody_here")


async def test_two_accounts(stage: Stage) -> None:
    fill(stage, 1)
    one = await stage.connected()
    other = await stage.connected(stage.telegram.session(888))

    assert [(await c.get_me()).id for c in (one, other)] == [USER, 888]
    assert [len(await c.get_dialogs()) for c in (one, other)] == [1, 0]
