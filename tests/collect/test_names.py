"""What a followed name leads to: a channel, nobody, a person, a group; and names that move."""

from typing import Any

import pytest
from telethon.tl import types

from collect.names import not_a_channel, username_of, usernames_of
from loopback.world.channel import Collectible, WorldPost
from streams.events import ChannelDescribed, ChannelStatus, PostsSeen
from streams.units import HOUR_MS
from tests.collect.conftest import START_MS, USER, Scene, history, until
from tests.collect.test_outages import said

READING = ("messages.getHistory", "channels.getFullChannel", "channels.joinChannel")


def untouched(scene: Scene) -> bool:
    return all(scene.telegram.calls.count(method) == 0 for method in READING)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("somebody", "user"),
        ("helper_bot", "bot"),
        ("talk", "supergroup"),
        ("giga", "gigagroup"),
    ],
)
async def test_a_name_that_is_no_channel_s_is_refused(scene: Scene, name: str, kind: str) -> None:
    scene.world.add_person(31, "somebody")
    scene.world.add_person(32, "helper_bot", bot=True)
    scene.channel(2001, "talk", history=history(3), kind="supergroup")
    scene.channel(2002, "giga", history=history(3), kind="gigagroup")
    await scene.follow(name)
    scene.start()
    refused = await scene.stands(name, "not_a_channel")
    assert refused.status_reason == f"@{name} is a {kind}, not a channel"
    assert refused.status_until_ms == START_MS + HOUR_MS
    assert refused.channel_id is None
    assert untouched(scene)
    assert scene.events == []


@pytest.mark.parametrize(
    ("reference", "kind"), [("700", "basic group"), ("2001", "supergroup"), ("31", "user")]
)
async def test_an_id_among_the_dialogs_that_is_no_channel_s_is_refused(
    scene: Scene, reference: str, kind: str
) -> None:
    account = scene.world.add_account(USER)
    scene.world.join_group(account, 700, "Family")
    scene.world.talk(account, scene.world.add_person(31, "somebody"))
    scene.world.join(account, scene.channel(2001, "talk", history=history(3), kind="supergroup"))
    await scene.follow(reference)
    scene.start()
    refused = await scene.stands(reference, "not_a_channel")
    assert refused.status_reason == f"{reference} is a {kind}, not a channel"
    assert untouched(scene)


async def test_a_channel_and_a_group_may_have_the_same_id(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    account = scene.world.add_account(USER)
    scene.world.join_group(account, 1001, "Family")
    scene.world.join(account, channel)
    await scene.follow("1001")
    scene.start()
    await scene.live(channel)


async def test_a_channel_that_has_become_a_group_is_read_no_more(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    await scene.stop()
    reads = scene.telegram.calls.count("messages.getHistory")
    channel.kind = "gigagroup"
    scene.world.leave(scene.world.accounts[USER], channel)
    scene.start()
    await until(lambda: scene.statuses(channel)[-1] == "not_a_channel")
    assert scene.of(ChannelStatus, channel)[-1].reason == "news is a gigagroup, not a channel"
    assert scene.telegram.calls.count("messages.getHistory") == reads
    assert scene.telegram.calls.count("channels.joinChannel") == 1


async def test_an_id_that_the_account_does_not_have(scene: Scene) -> None:
    await scene.follow("4242")
    scene.start()
    missing = await scene.stands("4242", "not_found")
    assert "no channel with the id 4242" in missing.status_reason
    assert "follow it by its @username, or join it" in missing.status_reason


async def test_a_name_nobody_has_is_told_and_asked_for_less_and_less_often(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    news = scene.channel()
    await scene.follow("@typoname", "news")
    scene.start()
    await scene.live(news)
    missing = await scene.stands("typoname", "not_found")
    assert missing.status_reason == "nobody on Telegram has the name @typoname"
    assert missing.status_until_ms == START_MS + HOUR_MS
    pauses_h = []
    for hours in (1, 2, 4, 8, 16, 24, 24):
        asked = len(scene.asked("contacts.resolveUsername"))
        scene.clock.advance(hours * HOUR_MS)
        await until(lambda n=asked: len(scene.asked("contacts.resolveUsername")) > n)
        while (told := await scene.standing("typoname")).status_at_ms != scene.clock.now_ms():
            pass
        assert told.status_until_ms is not None
        pauses_h.append((told.status_until_ms - scene.clock.now_ms()) // HOUR_MS)
    assert pauses_h == [2, 4, 8, 16, 24, 24, 24]
    assert said(caplog, "channel_unreadable", channel="typoname") == 1
    assert {event.channel_id for event in scene.events} == {1001}


async def test_a_name_comes_into_being(scene: Scene) -> None:
    await scene.follow("typoname")
    scene.start()
    await scene.stands("typoname", "not_found")
    await scene.stop()
    scene.start()  # a restart does not ask sooner
    await until(lambda: scene.collector is not None and scene.collector.connected)
    late = scene.channel(1005, "typoname", history=history(2))
    scene.clock.advance(HOUR_MS)
    await scene.live(late)
    assert scene.telegram.calls.count("contacts.resolveUsername") == 2
    assert (await scene.stands("typoname", "live")).channel_id == 1005


async def test_a_name_that_cannot_be_one(scene: Scene) -> None:
    await scene.follow("abc")
    scene.telegram.faults.rpc_error(400, "USERNAME_INVALID", "contacts.resolveUsername")
    scene.start()
    refused = await scene.stands("abc", "not_found")
    assert refused.status_reason == "@abc is no name that Telegram gives"


async def test_a_channel_that_telegram_has_closed(scene: Scene) -> None:
    channel = scene.channel(history=history(1))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    scene.telegram.faults.rpc_error(406, "CHANNEL_BANNED", "channels.getFullChannel")
    scene.clock.advance(HOUR_MS)
    await until(lambda: "banned" in scene.statuses(channel))
    assert (await scene.stands("news", "banned")).status_reason == "CHANNEL_BANNED"


async def test_one_channel_by_two_of_its_names_is_observed_once(scene: Scene) -> None:
    channel = scene.channel(history=history(1))
    scene.world.rename(channel, "news", [Collectible("headlines")])
    await scene.follow("news")
    collector = scene.start()
    await scene.live(channel)
    await collector.follow(await scene.control.follow("headlines", 0))
    twice = await scene.stands("headlines", "duplicate")
    assert twice.status_reason == "followed as news"


async def test_the_first_active_of_several_usernames(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    names = [Collectible("resting", active=False), Collectible("headlines")]
    scene.world.rename(channel, "news", names)
    await scene.follow("headlines")
    scene.start()
    await scene.live(channel)
    [described] = scene.of(ChannelDescribed)
    assert (described.username, described.usernames) == ("news", ["news", "headlines"])
    assert scene.of(ChannelStatus)[-1].reason == ""
    [followed] = await scene.control.followed()
    assert followed.username == "news"
    assert await scene.control.unfollow("@news")


async def test_forwards_from_a_channel_with_bought_names_have_its_username(scene: Scene) -> None:
    source = scene.world.add_channel(2001, "source", "Source")
    forward = WorldPost(1, START_MS - 1000, "forwarded", forwarded_from="2001")
    scene.channel(history=[forward])
    scene.world.rename(source, "source", [Collectible("spring")])
    await scene.follow("news")
    scene.start()
    await until(lambda: scene.of(PostsSeen))
    assert [post.forwarded_from for post in scene.of(PostsSeen)[0].posts] == ["source"]


async def test_a_channel_is_followed_by_its_id_when_its_name_moves(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    scene.world.rename(channel, "oldnews")
    heir = scene.channel(1002, "news", history=history(3))
    scene.clock.advance(HOUR_MS)
    await scene.live(channel, times=2)
    assert scene.of(ChannelStatus, channel)[-1].reason == (
        "@news is no longer its username: it is @oldnews, followed by its id"
    )
    assert scene.of(ChannelDescribed)[-1].usernames == ["oldnews"]
    scene.world.post(channel, "still read")
    scene.world.post(heir, "not followed")
    await until(lambda: "still read" in scene.seen(channel).values())
    await scene.stop()
    scene.start()
    await scene.live(channel, times=3)
    assert {event.channel_id for event in scene.events} == {1001}
    [followed] = await scene.control.followed()
    assert (followed.channel_id, followed.username) == (1001, "oldnews")


async def test_a_channel_loses_its_name_and_gets_it_back(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    scene.world.rename(channel, None)
    scene.clock.advance(HOUR_MS)
    await scene.live(channel, times=2)
    assert "it is a channel without a username" in scene.of(ChannelStatus, channel)[-1].reason
    assert scene.of(ChannelDescribed)[-1].usernames == []
    scene.world.rename(channel, "News")
    scene.clock.advance(HOUR_MS)
    await scene.live(channel, times=3)
    assert scene.of(ChannelStatus, channel)[-1].reason == ""


def of_channel(**fields: Any) -> types.Channel:
    return types.Channel(1, "title", types.ChatPhotoEmpty(), None, **fields)


def test_usernames_of_what_telegram_says() -> None:
    bought = [
        types.Username("b", active=True),
        types.Username("c"),
        types.Username("a", active=True),
    ]
    assert usernames_of(of_channel()) == []
    assert usernames_of(of_channel(username="a")) == ["a"]
    assert usernames_of(of_channel(usernames=bought)) == ["b", "a"]
    assert usernames_of(of_channel(username="a", usernames=bought)) == ["a", "b"]
    assert username_of(of_channel(usernames=bought)) == "b"
    assert username_of(types.ChannelForbidden(1, 2, "title")) is None


@pytest.mark.parametrize(
    ("entity", "kind"),
    [
        (of_channel(broadcast=True), None),
        (of_channel(megagroup=True), "supergroup"),
        (of_channel(megagroup=True, gigagroup=True), "gigagroup"),
        (types.ChannelForbidden(1, 2, "title", broadcast=True), None),
        (types.ChannelForbidden(1, 2, "title", megagroup=True), "supergroup"),
        (types.Chat(1, "title", types.ChatPhotoEmpty(), 2, None, 1), "basic group"),
        (types.ChatForbidden(1, "title"), "basic group"),
        (types.User(1), "user"),
        (types.User(1, bot=True), "bot"),
    ],
)
def test_kinds(entity: Any, kind: str | None) -> None:
    assert not_a_channel(entity) == kind
