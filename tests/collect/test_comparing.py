"""What was edited or deleted while nobody looked is found, for every post that is known."""

import pytest

from loopback.world.channel import WorldChannel
from streams.events import PostsDeleted, PostsEdited, PostsSeen
from streams.units import DAY_MS, HOUR_MS
from tests.collect.conftest import START_MS, Scene, history, until

COMPARED = "channels.getMessages"


async def read(scene: Scene, posts: int) -> WorldChannel:
    """A channel whose whole history was read, posts an hour apart."""
    channel = scene.channel(history=history(posts))
    await scene.follow("news")
    scene.start(backfill_pause_ms=0)
    await scene.live(channel)
    while (
        not (cursor := await scene.control.cursor(channel.channel_id)) or not cursor.backfill_done
    ):
        pass
    return channel


def deleted(scene: Scene) -> list[int]:
    return sorted(i for event in scene.of(PostsDeleted) for i in event.post_ids)


def edited(scene: Scene) -> list[int]:
    return sorted(post.post_id for event in scene.of(PostsEdited) for post in event.posts)


def asked_ids(scene: Scene) -> list[list[int]]:
    return [[named.id for named in request.id] for request in scene.asked(COMPARED)]


def change_all_over(scene: Scene, channel: WorldChannel) -> None:
    scene.world.delete(channel, [2, 130, 249])
    for post_id in (1, 120, 240):
        scene.world.edit(channel, post_id, "edited while away")


async def test_after_a_restart_every_post_is_compared_the_newest_first(scene: Scene) -> None:
    channel = await read(scene, 250)
    await scene.stop()
    change_all_over(scene, channel)
    scene.start()
    await scene.live(channel, times=2)
    await scene.pass_until(lambda: len(deleted(scene)) == len(edited(scene)) == 3)
    assert (deleted(scene), edited(scene)) == ([2, 130, 249], [1, 120, 240])
    assert scene.seen(channel)[1] == "edited while away"
    # single ones are those that a page of history lacks, or of which no counters come
    rounds = [ids for ids in asked_ids(scene) if len(ids) > 1]
    compared = [i for ids in rounds for i in ids]
    assert len(rounds) == 3
    assert compared == sorted(compared, reverse=True)
    assert set(compared) >= set(scene.seen(channel))
    assert all(len(ids) <= 100 for ids in asked_ids(scene))
    # nothing was read twice, and nothing that was known is told as new
    assert sum(len(event.posts) for event in scene.of(PostsSeen)) == 250


async def test_after_a_lost_connection_every_post_is_compared(scene: Scene) -> None:
    channel = await read(scene, 250)
    async with scene.telegram.away():
        await until(lambda: scene.statuses(channel)[-1] == "away")
        change_all_over(scene, channel)
    await scene.live(channel, times=2)
    await scene.pass_until(lambda: len(deleted(scene)) == len(edited(scene)) == 3)
    assert (deleted(scene), edited(scene)) == ([2, 130, 249], [1, 120, 240])


async def test_a_round_that_is_killed_goes_on_to_the_oldest(scene: Scene) -> None:
    channel = await read(scene, 350)
    await scene.stop()
    scene.world.delete(channel, [7])
    for _ in range(3):  # each life is long enough for one request
        before = len(asked_ids(scene))
        scene.start()
        await until(lambda n=before: len(asked_ids(scene)) == n + 1)
        position = asked_ids(scene)[-1][-1]
        while (cursor := await scene.control.cursor(channel.channel_id)) is None or (
            cursor.compared_to != position
        ):
            pass
        await scene.stop()
    assert [ids[0] for ids in asked_ids(scene)] == [350, 250, 150]
    scene.start()
    await until(lambda: deleted(scene) == [7])
    assert asked_ids(scene)[3][0] == 50


async def test_a_round_obeys_flood_waits_and_goes_on(scene: Scene) -> None:
    channel = await read(scene, 150)
    await scene.stop()
    scene.world.edit(channel, 3, "edited while away")
    scene.telegram.faults.flood_wait(900, COMPARED)
    scene.start()
    await until(lambda: scene.statuses(channel)[-1] == "waiting")
    scene.world.post(channel, "pushed all the same")
    await until(lambda: "pushed all the same" in scene.seen(channel).values())
    assert scene.telegram.calls.count(COMPARED) == 1
    scene.clock.advance(900_000)
    await scene.pass_until(lambda: edited(scene) == [3])
    assert [ids[0] for ids in asked_ids(scene)] == [150, 151, 51]


async def test_a_gap_in_the_updates_has_all_posts_compared(scene: Scene) -> None:
    channel = await read(scene, 150)
    with scene.telegram.faults.lost_pushes():
        scene.world.edit(channel, 5, "lost edit")
    scene.telegram.push_too_long(channel)
    await scene.pass_until(lambda: edited(scene) == [5])


async def test_updates_too_old_to_be_told_have_all_posts_compared(scene: Scene) -> None:
    channel = await read(scene, 150)
    with scene.telegram.faults.lost_pushes():
        scene.world.delete(channel, [5])
    channel.forget_log()
    scene.telegram.push_too_long(channel)
    await scene.pass_until(lambda: deleted(scene) == [5])


async def test_once_a_day_all_posts_are_compared_without_a_gap(scene: Scene) -> None:
    channel = await read(scene, 150)
    with scene.telegram.faults.lost_pushes():
        scene.world.edit(channel, 5, "lost edit")
    scene.clock.advance(DAY_MS)
    await scene.pass_until(lambda: edited(scene) == [5])
    assert scene.statuses(channel) == ["live"]


async def test_channels_share_one_pace(scene: Scene) -> None:
    channels = [scene.channel(1001 + n, f"chan{n}", history=history(150)) for n in range(4)]
    await scene.follow(*(f"chan{n}" for n in range(4)))
    scene.start(backfill_pause_ms=0)
    await until(lambda: all(len(scene.seen(channel)) == 150 for channel in channels))
    await scene.live(*channels)
    await scene.stop()
    started_ms = scene.clock.now_ms()
    scene.start(compare_pause_ms=60_000)
    await scene.live(*channels, times=2)
    # two requests of each channel, in whatever order they come: a minute apart from one another
    await scene.pass_until(lambda: len(asked_ids(scene)) == 8, step_ms=5_000)
    assert scene.clock.now_ms() - started_ms >= 4 * 60_000
    assert sorted(len(ids) for ids in asked_ids(scene)) == [50] * 4 + [100] * 4


@pytest.mark.parametrize("short_by", [1, 40])
async def test_short_pages_lose_nothing_and_delete_nothing(scene: Scene, short_by: int) -> None:
    scene.telegram.shorten_pages(short_by)
    channel = await read(scene, 450)
    assert len(scene.seen(channel)) == 450
    await scene.stop()
    scene.world.delete(channel, [430])
    scene.start(compare_pause_ms=0)
    await until(lambda: deleted(scene) == [430])
    cursor = None
    while cursor is None or cursor.compared_to is not None:
        cursor = await scene.control.cursor(channel.channel_id)
    assert deleted(scene) == [430]
    assert len(scene.seen(channel)) == 449


async def test_posts_too_old_to_be_sampled_are_compared_too(scene: Scene) -> None:
    old = history(3, every_ms=20 * DAY_MS)
    channel = scene.channel(history=old)
    await scene.follow("news")
    scene.start(backfill_pause_ms=0)
    await until(lambda: len(scene.seen(channel)) == 3)
    await scene.live(channel)
    await scene.stop()
    scene.world.delete(channel, [1])
    assert old[0].date_ms < START_MS - 30 * 24 * HOUR_MS
    scene.start()
    await until(lambda: deleted(scene) == [1])
