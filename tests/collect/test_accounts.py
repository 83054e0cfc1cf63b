"""Accounts as people have them: many dialogs, waits longer than a process lives, old hashes."""

import msgspec
import pytest

from loopback.faults import ALWAYS
from streams.events import ChannelStatus
from streams.sources.cursors import Cursor, FloodWait, Standing
from streams.units import HOUR_MS, MINUTE_MS
from tests.collect.conftest import START_MS, USER, Scene, history, until

NEWS = 1001


def crowd(scene: Scene, dialogs: int) -> None:
    """An account in so many channels, groups and talks that are newer than what is followed."""
    account = scene.world.add_account(USER)
    for n in range(dialogs):
        match n % 3:
            case 0:
                posts = history(1, every_ms=MINUTE_MS)
                channel = scene.world.add_channel(5000 + n, f"crowd{n}", history=posts)
                scene.world.join(account, channel)
            case 1:
                scene.world.talk(account, scene.world.add_person(7000 + n, f"person{n}"))
            case 2:
                scene.world.join_group(account, 9000 + n, f"Group {n}")


async def test_a_followed_name_needs_no_dialogs(scene: Scene) -> None:
    crowd(scene, 450)
    channel = scene.channel(history=history(3))
    scene.telegram.limits.put("messages.getDialogs", calls=3, per_s=5)
    await scene.follow("@news")
    scene.start()
    await scene.live(channel)
    assert scene.asked("messages.getDialogs") == []
    assert scene.telegram.calls.count("contacts.resolveUsername") == 1


async def test_a_listing_of_dialogs_goes_on_where_a_flood_wait_stopped_it(scene: Scene) -> None:
    crowd(scene, 450)
    channel = scene.channel(history=history(3))
    scene.world.join(scene.world.accounts[USER], channel)
    scene.telegram.limits.put("messages.getDialogs", calls=3, per_s=5)
    other = scene.channel(1002, "other", history=history(1))
    await scene.follow(f"-100{NEWS:010}", "other")
    scene.start()
    await until(lambda: "waiting" in scene.statuses(channel))
    [waiting] = scene.of(ChannelStatus, channel)
    assert (waiting.reason, waiting.until_ms) == ("FLOOD_WAIT GetDialogs", START_MS + 5000)
    assert (await scene.stands(str(NEWS), "waiting")).status_until_ms == START_MS + 5000
    await scene.live(other)
    assert scene.telegram.calls.count("messages.getDialogs") == 4
    scene.clock.advance(4999)
    scene.world.post(other, "meanwhile")
    await until(lambda: "meanwhile" in scene.seen(other).values())
    assert scene.telegram.calls.count("messages.getDialogs") == 4
    scene.clock.advance(1)
    await scene.live(channel)
    pages = scene.asked("messages.getDialogs")
    assert len(pages) == 6
    assert [page.offset_id == 0 for page in pages] == [True] + [False] * 5
    assert pages[3].offset_peer == pages[4].offset_peer
    assert len({str(page.offset_peer) for page in pages}) == 5


async def test_dialogs_are_listed_once_for_all_that_need_them(scene: Scene) -> None:
    crowd(scene, 250)
    account = scene.world.accounts[USER]
    channels = [scene.channel(1001 + n, f"c{n}", history=history(1)) for n in range(5)]
    for channel in channels:
        scene.world.join(account, channel)
    await scene.follow(*(str(channel.channel_id) for channel in channels))
    scene.start()
    await scene.live(*channels)
    assert scene.telegram.calls.count("messages.getDialogs") == 3
    await scene.stop()
    scene.start()
    await scene.live(*channels, times=2)
    assert scene.telegram.calls.count("messages.getDialogs") == 3


async def test_a_restart_starts_known_channels_from_their_kept_hashes(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    await scene.stop()
    scene.telegram.limits.put("messages.getDialogs", calls=0, per_s=3600)
    scene.telegram.limits.put("contacts.resolveUsername", calls=0, per_s=3600)
    scene.start()
    await scene.live(channel, times=2)
    assert scene.telegram.calls.count("contacts.resolveUsername") == 1


@pytest.mark.parametrize("reference", ["news", f"-100{NEWS:010}"])
async def test_a_kept_hash_that_is_refused_is_found_anew(scene: Scene, reference: str) -> None:
    channel = scene.channel(history=history(3))
    scene.world.join(scene.world.add_account(USER), channel)
    await scene.follow(reference)
    await scene.control.resolve(reference, channel.channel_id, None)
    await scene.control.put_cursor(Cursor(channel.channel_id, access_hash=12345))
    scene.start()
    await scene.live(channel)
    good = scene.world.accounts[USER].access_hash_of(channel.channel_id)
    cursor = await scene.control.cursor(channel.channel_id)
    assert cursor is not None
    assert cursor.access_hash == good
    assert scene.statuses(channel) == ["live"]


async def test_a_channel_that_refuses_a_good_hash_is_said_to_be_private(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    await scene.stop()
    scene.telegram.faults.rpc_error(400, "CHANNEL_INVALID", "channels.getFullChannel", times=ALWAYS)
    scene.start()
    await until(lambda: scene.statuses(channel)[-1] == "private")
    assert scene.of(ChannelStatus, channel)[-1].reason == "CHANNEL_INVALID"
    assert scene.telegram.calls.count("contacts.resolveUsername") == 2
    scene.telegram.faults.clear()
    scene.clock.advance(HOUR_MS)
    await scene.live(channel, times=2)


async def test_flood_waits_are_obeyed_after_a_restart(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.telegram.faults.flood_wait(3600, "messages.getHistory")
    scene.start()
    await until(lambda: "waiting" in scene.statuses(channel))
    until_ms = START_MS + HOUR_MS
    kept = [FloodWait("GetHistory", channel.channel_id, until_ms)]
    assert await scene.control.flood_waits() == kept
    for restart in range(2):
        await scene.stop()
        scene.clock.advance(20 * MINUTE_MS)
        scene.start()
        times = restart + 2
        await until(lambda n=times: scene.statuses(channel).count("waiting") == n)
        assert scene.of(ChannelStatus, channel)[-1].until_ms == until_ms
    assert scene.telegram.calls.count("messages.getHistory") == 1
    scene.clock.advance(20 * MINUTE_MS)
    await scene.live(channel)


async def test_a_name_that_has_to_wait_is_asked_for_when_that_is_over(scene: Scene) -> None:
    channel = scene.channel(history=history(1))
    await scene.follow("news")
    scene.telegram.faults.flood_wait(86_400, "contacts.resolveUsername")
    scene.start()
    waiting = await scene.stands("news", "waiting")
    assert waiting.status_reason == "FLOOD_WAIT ResolveUsername"
    assert waiting.status_until_ms == START_MS + 24 * HOUR_MS
    await scene.stop()
    scene.clock.advance(23 * HOUR_MS)
    scene.start()
    await until(lambda: scene.collector is not None and scene.collector.connected)
    scene.clock.advance(HOUR_MS)
    await scene.live(channel)
    assert scene.telegram.calls.count("contacts.resolveUsername") == 2
    assert (await scene.stands("news", "live")).channel_id == NEWS


async def test_a_name_that_one_account_has_to_wait_for_another_one_asks_for(scene: Scene) -> None:
    channel = scene.channel(history=history(1))
    await scene.follow("news")
    waiting = Standing("waiting", "FLOOD_WAIT ResolveUsername", START_MS + 24 * HOUR_MS, START_MS)
    await scene.control.put_standing("news", waiting)
    scene.start()
    await scene.live(channel)


@pytest.mark.parametrize("method", ["help.getConfig", "updates.getState"])
async def test_a_flood_wait_while_connecting_is_waited_out_in_full(
    scene: Scene, method: str
) -> None:
    channel = scene.channel(history=history(1))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    await scene.stop()
    scene.telegram.faults.flood_wait(600, method)
    before = scene.telegram.calls.count(method)
    scene.start()
    await until(lambda: scene.statuses(channel)[-1] == "waiting")
    assert scene.of(ChannelStatus, channel)[-1].until_ms == START_MS + 600_000
    await scene.stop()
    scene.start()  # and a restart does not provoke Telegram either
    await until(lambda: scene.statuses(channel).count("waiting") == 2)
    assert scene.telegram.calls.count(method) == before + 1
    scene.clock.advance(600_000)
    await scene.live(channel, times=2)


async def test_each_wait_is_told_with_its_end(scene: Scene) -> None:
    channel = scene.channel(history=history(1))
    await scene.follow("news")
    scene.telegram.faults.flood_wait(10, "messages.getHistory", times=2)
    scene.start()
    await until(lambda: scene.statuses(channel) == ["waiting"])
    scene.clock.advance(10_000)
    await until(lambda: scene.statuses(channel) == ["waiting", "waiting"])
    ends = [status.until_ms for status in scene.of(ChannelStatus, channel)]
    assert ends == [START_MS + 10_000, START_MS + 20_000]
    scene.clock.advance(10_000)
    await scene.live(channel)


def test_a_cursor_without_what_came_later_is_still_read() -> None:
    assert msgspec.convert({"channel_id": 1, "last_post_id": 2}, Cursor) == Cursor(1, 2)
