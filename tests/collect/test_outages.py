"""Telegram away, cut, flooded, refusing: nothing is lost, nothing else is delayed, said once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from telethon.errors import AuthKeyError
from telethon.sessions import SQLiteSession, StringSession

from collect import AccountLost, Collector, client_factory
from control.sealing import NoKey
from control.sql import SqlControl
from control.store import ControlUnavailable
from streams.events import ChannelStatus, PostsDeleted, PostsEdited
from streams.sources.cursors import NO_PAGES, Cursor, Followed, Pages
from streams.units import HOUR_MS, MINUTE_MS
from tests.collect.conftest import USER, Scene, history, until

LOGGER = "collect"


def said(caplog: pytest.LogCaptureFixture, event: str, **fields: str) -> int:
    return sum(
        record.getMessage() == event and fields.items() <= vars(record).items()
        for record in caplog.records
        if record.name.startswith(LOGGER)
    )


async def test_telegram_away_at_the_start(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    async with scene.telegram.away():
        scene.start()
        errors = scene.metrics.registry.get_sample_value
        labels = {"stage": "collector", "kind": "telegram_unavailable"}
        await until(lambda: (errors("analyticbot_errors_total", labels) or 0) >= 4)
    await scene.live(channel)
    await until(lambda: len(scene.seen(channel)) == 3)
    assert said(caplog, "unavailable", what="telegram") == 1
    assert said(caplog, "available", what="telegram") == 1
    assert len(caplog.records) == 2


async def test_a_cut_is_told_and_its_gap_filled(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    async with scene.telegram.away():
        await until(lambda: scene.statuses(channel)[-1] == "away")
        for n in range(130):
            scene.world.post(channel, f"while away {n}")
        scene.world.edit(channel, 2, "edited while away")
        scene.world.delete(channel, [1, 3])
    await scene.live(channel, times=2)
    await until(lambda: len(scene.seen(channel)) == 131)
    assert scene.seen(channel)[2] == "edited while away"
    assert [post.post_id for e in scene.of(PostsEdited) for post in e.posts] == [2]
    assert sorted(i for e in scene.of(PostsDeleted) for i in e.post_ids) == [1, 3]
    assert scene.statuses(channel) == ["live", "away", "live"]
    assert said(caplog, "unavailable", what="telegram") == 1
    # and pushes go on
    scene.world.post(channel, "pushed again")
    await until(lambda: "pushed again" in scene.seen(channel).values())


@pytest.mark.parametrize(
    "method",
    [
        "help.getConfig",
        "users.getUsers",
        "updates.getState",
        "messages.getDialogs",
        "contacts.resolveUsername",
        "channels.getFullChannel",
        "channels.joinChannel",
        "messages.getHistory",
    ],
)
async def test_a_cut_before_an_answer(scene: Scene, method: str) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.telegram.faults.cut(method, times=2)
    scene.start()
    await scene.live(channel)
    await until(lambda: len(scene.seen(channel)) == 3)


async def test_a_session_file_serves_one_connection_after_another(
    scene: Scene, tmp_path: Path
) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.session = scene.telegram.authorise(SQLiteSession(str(tmp_path / "one")), USER)
    scene.start()
    await scene.live(channel)
    scene.telegram.drop_connections()
    await scene.live(channel, times=2)
    scene.world.post(channel, "pushed again")
    await until(lambda: "pushed again" in scene.seen(channel).values())


async def test_lost_pushes_are_found_by_the_next_check(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    with scene.telegram.faults.lost_pushes():
        scene.world.post(channel, "lost")
        scene.world.edit(channel, 2, "lost edit")
        scene.world.delete(channel, [1])
    scene.clock.advance(5 * MINUTE_MS)
    await until(lambda: scene.seen(channel) == {2: "lost edit", 3: "post 3", 4: "lost"})


async def test_a_forgotten_log_of_updates_loses_nothing(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    with scene.telegram.faults.lost_pushes():
        for n in range(250):
            scene.world.post(channel, f"lost {n}")
        channel.forget_log()
    scene.world.post(channel, "pushed")
    scene.clock.advance(5 * MINUTE_MS)
    await until(lambda: len(scene.seen(channel)) == 254)


@pytest.mark.parametrize(
    "method", ["messages.getHistory", "channels.getFullChannel", "messages.getMessagesViews"]
)
async def test_a_flood_wait_delays_its_own_channel_only(scene: Scene, method: str) -> None:
    first = scene.channel(1001, "first", history=history(2, every_ms=MINUTE_MS))
    second = scene.channel(1002, "second", history=history(2, every_ms=MINUTE_MS))
    await scene.follow("first")
    if method != "messages.getMessagesViews":
        scene.telegram.faults.flood_wait(30, method)
    collector = scene.start(check_every_ms=HOUR_MS, describe_every_ms=HOUR_MS)
    if method == "messages.getMessagesViews":
        await scene.live(first)
        scene.telegram.faults.flood_wait(30, method)
        scene.clock.advance(MINUTE_MS)
    await until(lambda: "waiting" in scene.statuses(first))
    waiting = scene.of(ChannelStatus, first)[-1]
    assert waiting.until_ms == scene.clock.now_ms() + 30_000

    def calls() -> int:
        of_first = (getattr(c.request, "peer", None) for c in scene.telegram.calls.of(method))
        return sum(peer is not None and peer.channel_id == first.channel_id for peer in of_first)

    before = calls()
    await collector.follow(await scene.control.follow("second", 0))
    await scene.live(second)
    await until(lambda: len(scene.seen(second)) == 2)
    if method == "messages.getMessagesViews":
        scene.clock.advance(29_999)
        scene.world.post(first, "pushed all the same")
        await until(lambda: "pushed all the same" in scene.seen(first).values())
        assert calls() == before
        assert scene.statuses(first)[-1] == "waiting"
        scene.clock.advance(1)
    else:
        scene.clock.advance(30_000)
    await until(lambda: scene.statuses(first)[-1] == "live")


async def test_a_method_that_floods_two_channels_rests(scene: Scene) -> None:
    for n in range(5):
        scene.channel(1001 + n, f"channel{n}", history=history(1))
    await scene.follow(*(f"channel{n}" for n in range(5)))
    scene.telegram.faults.flood_wait(30, "messages.getHistory", times=2)
    scene.start(most_calls=1)
    channels = list(scene.world.channels.values())
    await until(lambda: all("waiting" in scene.statuses(channel) for channel in channels))
    assert scene.telegram.calls.count("messages.getHistory") == 2
    scene.clock.advance(30_000)
    await scene.live(*channels)


async def test_a_flood_wait_within_updates_delays_no_other_channel(scene: Scene) -> None:
    first, second = scene.channel(1001, "first"), scene.channel(1002, "second")
    await scene.follow("first", "second")
    scene.start()
    await scene.live(first, second)
    scene.telegram.faults.flood_wait(3600, "updates.getChannelDifference")
    with scene.telegram.faults.lost_pushes(1001):
        scene.world.post(first, "lost")
    scene.world.post(first, "reveals the gap")
    scene.world.post(second, "at once")
    await until(lambda: "at once" in scene.seen(second).values())
    scene.clock.advance(5 * MINUTE_MS)
    await until(lambda: set(scene.seen(first).values()) == {"lost", "reveals the gap"})


@pytest.mark.parametrize(
    ("code", "word", "times"),
    [
        (500, "PERSISTENT_TIMESTAMP_OUTDATED", 50),
        (500, "INTERDC_3_CALL_ERROR", 50),
        (400, "HISTORY_GET_FAILED", 50),
        (400, "PERSISTENT_TIMESTAMP_INVALID", 5),
        (400, "CHANNEL_PRIVATE", 3),
        (420, "FLOOD_WAIT_30", 3),
        (-503, "Timeout", 3),
    ],
)
async def test_updates_that_telegram_will_not_tell_are_read_from_history(
    scene: Scene, code: int, word: str, times: int
) -> None:
    news, other = scene.channel(history=history(3)), scene.channel(1002, "other")
    await scene.follow("news", "other")
    scene.start()
    await scene.live(news, other)
    refused = "updates.getChannelDifference"
    scene.telegram.faults.rpc_error(code, word, refused, times=times)
    with scene.telegram.faults.lost_pushes(news.channel_id):
        scene.world.post(news, "lost")
    scene.world.post(news, "reveals the gap")
    scene.world.post(other, "elsewhere")
    await until(lambda: "elsewhere" in scene.seen(other).values())
    wanted = {"lost", "reveals the gap"}
    await scene.pass_until(lambda: wanted <= set(scene.seen(news).values()), MINUTE_MS)
    assert set(scene.statuses(news)) == set(scene.statuses(other)) == {"live"}


async def test_a_second_session_on_the_account_ends_it(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    channel = scene.channel(history=history(1))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    scene.telegram.faults.rpc_error(406, "AUTH_KEY_DUPLICATED", times=99)
    scene.clock.advance(5 * MINUTE_MS)
    assert scene.running is not None
    with pytest.raises(AccountLost, match=r"AUTH_KEY_DUPLICATED.*log in again"):
        await scene.running
    scene.running = None
    scene.telegram.faults.clear()
    await until(lambda: scene.statuses(channel)[-1] == "away")
    assert scene.of(ChannelStatus)[-1].reason == "AUTH_KEY_DUPLICATED"


async def test_a_second_process_with_the_same_session(scene: Scene) -> None:
    channel = scene.channel(history=history(1))
    await scene.follow("news")
    scene.telegram.faults.one_session_per_key = True
    scene.start()
    await scene.live(channel)
    telegram = scene.telegram
    other = client_factory(StringSession(scene.session.save()), telegram.api_id, "hash")()
    with pytest.raises(AuthKeyError):
        await other.connect()
    await other.disconnect()
    scene.clock.advance(5 * MINUTE_MS)
    assert scene.running is not None
    with pytest.raises(AccountLost, match="AUTH_KEY_DUPLICATED"):
        await scene.running
    scene.running = None


class Absent(SqlControl):
    """A control store whose database is away for a number of writes."""

    failures = 0

    async def put_cursor(self, cursor: Cursor, pages: Pages = NO_PAGES) -> None:
        if self.failures:
            self.failures -= 1
            raise ControlUnavailable("the database is away")
        await super().put_cursor(cursor, pages)


async def test_a_control_store_that_is_away_is_waited_for(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    channel = scene.channel(history=history(150))
    await scene.follow("news")
    scene.control = Absent(scene.control._database._engine, "absent", NoKey())
    scene.control.failures = 3
    scene.start(backfill_pause_ms=0)
    await scene.live(channel)
    await until(lambda: len(scene.seen(channel)) == 150)
    assert said(caplog, "unavailable", what="control") == 1
    assert said(caplog, "available", what="control") == 1


class Cancelling(SqlControl):
    """A control store that goes away at the moment in which its collector is stopped."""

    collecting: "asyncio.Task[None]"

    async def put_cursor(self, cursor: Cursor, pages: Pages = NO_PAGES) -> None:
        self.collecting.cancel()
        raise ControlUnavailable("away")


async def test_a_stop_is_not_forgotten_where_something_fails_with_it(scene: Scene) -> None:
    scene.channel(history=history(3))
    await scene.follow("news")
    scene.control = control = Cancelling(scene.control._database._engine, "cancelling", NoKey())
    scene.start()
    assert scene.running is not None
    control.collecting = scene.running
    await until(scene.running.done)
    assert scene.running.cancelled()


class Meanwhile(SqlControl):
    """Goes away once for the first channel; a third is followed while the second's work ends."""

    collector: Collector
    third: Followed
    first: asyncio.Event

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.waits: dict[int, asyncio.Event] = {1001: asyncio.Event(), 1002: asyncio.Event()}

    async def put_cursor(self, cursor: Cursor, pages: Pages = NO_PAGES) -> None:
        if (waits := self.waits.pop(cursor.channel_id, None)) is None:
            await super().put_cursor(cursor, pages)
        elif cursor.channel_id == 1001:
            await waits.wait()
            raise ControlUnavailable("away")
        else:
            self.first.set()
            try:
                await waits.wait()
            finally:
                await self.collector.follow(self.third)


async def test_what_is_followed_while_a_connection_ends_is_observed_on_the_next(
    scene: Scene,
) -> None:
    channels = [scene.channel(n, f"channel{n}", history=history(3)) for n in (1001, 1002, 1003)]
    await scene.follow("channel1001", "channel1002")
    scene.control = control = Meanwhile(scene.control._database._engine, "meanwhile", NoKey())
    control.first = control.waits[1001]
    control.third = Followed("channel1003", None, "channel1003", 0)
    control.collector = scene.start()
    await scene.live(*channels)


async def test_a_session_that_was_revoked_before_the_start(scene: Scene) -> None:
    scene.channel()
    await scene.follow("news")
    scene.telegram.revoke(USER)
    scene.start()
    assert scene.running is not None
    with pytest.raises(AccountLost, match="log in again"):
        await scene.running
    scene.running = None


async def test_a_channel_that_turns_private_leaves_the_others_alone(scene: Scene) -> None:
    hidden, other = scene.channel(), scene.channel(1002, "other")
    await scene.follow("news", "other")
    scene.start(unreadable_retry_ms=HOUR_MS)
    await scene.live(hidden, other)
    hidden.private = True
    scene.world.leave(scene.world.accounts[USER], hidden)
    scene.clock.advance(5 * MINUTE_MS)
    await until(lambda: scene.statuses(hidden)[-1] == "private")
    scene.world.post(other, "goes on")
    await until(lambda: "goes on" in scene.seen(other).values())
    hidden.private = False
    scene.clock.advance(HOUR_MS)
    await until(lambda: scene.statuses(hidden)[-1] == "live")


async def test_a_name_nobody_has(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    channel = scene.channel()
    await scene.follow("nobody_here", "news")
    scene.start()
    await scene.live(channel)
    await until(lambda: said(caplog, "channel_unreadable", channel="nobody_here") == 1)


async def test_a_refused_request_is_tried_again(scene: Scene) -> None:
    channel = scene.channel(history=history(1))
    await scene.follow("news")
    scene.telegram.faults.rpc_error(400, "MSG_ID_INVALID", "messages.getHistory")
    scene.start()
    await until(lambda: scene.telegram.calls.count("messages.getHistory") == 1)
    labels = {"stage": "collector", "kind": "call_failed"}
    value = scene.metrics.registry.get_sample_value
    await until(lambda: value("analyticbot_errors_total", labels) == 1)
    scene.clock.advance(1000)
    await scene.live(channel)


async def test_more_pushes_than_fit_are_read_from_history(scene: Scene) -> None:
    channel = scene.channel()
    await scene.follow("news")
    scene.start(most_pushes=1)
    await scene.live(channel)
    for n in range(50):
        scene.world.post(channel, f"burst {n}")
    await until(lambda: len(scene.seen(channel)) == 50)
