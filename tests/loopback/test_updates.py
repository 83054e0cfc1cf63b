"""What is pushed, and what is asked for after a gap."""

import pytest
from telethon import errors
from telethon.tl import functions, types

from tests.loopback.conftest import Stage, collect, until


def kinds(updates: list[object]) -> list[str]:
    return [type(update).__name__ for update in updates]


async def test_every_kind_of_push(stage: Stage) -> None:
    world, channel = stage.world, stage.channel
    client = await stage.connected()
    got = collect(client)

    world.post(channel, "hello")
    world.edit(channel, 1, "hello again")
    world.set_counters(channel, 1, views=10, forwards=2, reactions={"👍": 3}, push=True)
    world.delete(channel, [1])

    await until(lambda: len(got) == 6)
    assert sorted(kinds(got)) == [
        "UpdateChannelMessageForwards",
        "UpdateChannelMessageViews",
        "UpdateDeleteChannelMessages",
        "UpdateEditChannelMessage",
        "UpdateMessageReactions",
        "UpdateNewChannelMessage",
    ]


async def test_push_carries_pts_and_channel(stage: Stage) -> None:
    client = await stage.connected()
    got = collect(client)
    stage.world.post(stage.channel, "x" * 4000)

    await until(lambda: got)
    assert (got[0].pts, got[0].pts_count) == (2, 1)
    assert got[0]._entities[-1000000001001].title == "News"


async def test_only_subscribers_are_told(stage: Stage) -> None:
    stranger = await stage.connected(stage.telegram.session(888))
    got_by_stranger, got = collect(stranger), collect(await stage.connected())
    stage.world.post(stage.channel)

    await until(lambda: got)
    await stranger.get_me()
    assert not got_by_stranger


async def test_both_sessions_of_an_account_are_told(stage: Stage) -> None:
    first, second = [collect(await stage.connected()) for _ in range(2)]
    stage.world.post(stage.channel)
    await until(lambda: first and second)


async def test_gap_makes_the_client_ask(stage: Stage) -> None:
    client = await stage.connected()
    await client.get_dialogs()
    got = collect(client)
    with stage.telegram.faults.lost_pushes(1001):
        stage.world.post(stage.channel)
        stage.world.post(stage.channel)
    stage.world.post(stage.channel)

    await until(lambda: len(got) == 3)
    assert sorted(u.message.id for u in got) == [1, 2, 3]
    assert stage.telegram.calls.count("updates.getChannelDifference") == 1


async def test_being_told_that_much_was_missed(stage: Stage) -> None:
    client = await stage.connected()
    await client.get_dialogs()
    got = collect(client)
    with stage.telegram.faults.lost_pushes():
        stage.world.post(stage.channel)

    stage.telegram.push_too_long(stage.channel)

    await until(lambda: got)
    assert got[0].message.id == 1


async def test_catching_up_after_a_reconnect(stage: Stage) -> None:
    client = await stage.connected()
    await client.get_dialogs()
    got = collect(client)
    async with stage.telegram.away():
        for _ in range(250):
            stage.world.post(stage.channel)
    users_asked = stage.telegram.calls.count("users.getUsers")
    await until(lambda: stage.telegram.calls.count("users.getUsers") > users_asked)

    await client.catch_up()

    await until(lambda: len(got) == 250)
    assert stage.telegram.calls.count("updates.getChannelDifference") == 3


def difference(stage: Stage, pts: int, limit: int = 100) -> object:
    access_hash = stage.account.access_hash_of(stage.channel.channel_id)
    return functions.updates.GetChannelDifferenceRequest(
        types.InputChannel(1001, access_hash), types.ChannelMessagesFilterEmpty(), pts, limit
    )


async def test_difference_keeps_edits_and_deletions_apart(stage: Stage) -> None:
    world, channel = stage.world, stage.channel
    for _ in range(3):
        world.post(channel)
    seen = channel.pts
    world.edit(channel, 1, "edited")
    world.delete(channel, [2, 3])
    world.post(channel, "new")
    client = await stage.connected()

    said = await client(difference(stage, seen))

    assert [m.message for m in said.new_messages] == ["new"]
    assert kinds(said.other_updates) == ["UpdateEditChannelMessage", "UpdateDeleteChannelMessages"]
    assert [u.pts for u in said.other_updates] == [seen + 1, seen + 3]
    assert (said.pts, said.final) == (channel.pts, True)


async def test_difference_in_slices(stage: Stage) -> None:
    for _ in range(5):
        stage.world.post(stage.channel)
    client = await stage.connected()

    first = await client(difference(stage, 1, limit=3))
    rest = await client(difference(stage, first.pts, limit=3))
    nothing = await client(difference(stage, rest.pts))

    assert ([m.id for m in first.new_messages], first.final) == ([1, 2, 3], False)
    assert ([m.id for m in rest.new_messages], rest.final) == ([4, 5], True)
    assert isinstance(nothing, types.updates.ChannelDifferenceEmpty)


async def test_difference_too_long(stage: Stage) -> None:
    for _ in range(30):
        stage.world.post(stage.channel)
    stage.channel.forget_log()
    client = await stage.connected()

    said = await client(difference(stage, 5))

    assert isinstance(said, types.updates.ChannelDifferenceTooLong)
    assert said.dialog.pts == stage.channel.pts
    assert [m.id for m in said.messages] == list(range(30, 10, -1))


async def test_difference_from_the_future(stage: Stage) -> None:
    client = await stage.connected()
    with pytest.raises(errors.PersistentTimestampInvalidError):
        await client(difference(stage, 99))
    with pytest.raises(errors.PersistentTimestampEmptyError):
        await client(difference(stage, 0))
