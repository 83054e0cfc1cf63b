"""A recording, played: what is history, what happens when, where it ends."""

import asyncio
from pathlib import Path

import pytest

import loopback
from loopback.played import PlayedChannel, PlayedPost, read_channels
from loopback.player import Player
from loopback.world.channel import Kind
from loopback.world.world import CountersMoved, Happening, LogWritten, World
from streams.events import Post
from streams.ids import ChannelId, PostId
from streams.recording import Recording
from streams.units import HOUR_MS
from tests.patience import PATIENCE_S

START_MS = 1_800_000_000_000


class HandClock:
    """Moves when it is told to; `sleep_ms` moves it."""

    speed = 1.0

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms

    async def sleep_ms(self, duration_ms: float) -> None:
        self.ms += int(duration_ms)
        await asyncio.sleep(0)


def recorded(posts: int = 10, *, edited_h: int | None = None, read_h: int = 100) -> PlayedChannel:
    """A post an hour from hour 1 on; each read at hour `read_h` with 1000 views and 10 forwards."""
    edit_ms = None if edited_h is None else edited_h * HOUR_MS
    played = [
        PlayedPost(
            Post(
                PostId(number),
                number * HOUR_MS,
                f"post {number}",
                edit_date_ms=edit_ms if number == posts else None,
                views=1000,
                forwards=10,
            ),
            sampled_at_ms=read_h * HOUR_MS,
        )
        for number in range(1, posts + 1)
    ]
    subscribers = [(7 * HOUR_MS, 50), (9 * HOUR_MS, 60)]
    return PlayedChannel(ChannelId(5), "five", "Five", played, subscribers)


def play(*channels: PlayedChannel) -> tuple[World, Player, HandClock, list[Happening]]:
    clock = HandClock()
    world = World(clock)
    player = Player(world, channels)
    happenings: list[Happening] = []
    world.listen(happenings.append)
    return world, player, clock, happenings


def test_sixty_percent_is_history() -> None:
    world, player, _, _ = play(recorded())
    channel, shift = world.channels[ChannelId(5)], player.shifts[ChannelId(5)]

    assert channel.newest_id == 6
    assert shift.recorded(START_MS) == 7 * HOUR_MS - 60_000
    assert shift.played(shift.recorded_start_ms) == START_MS


def test_posts_appear_at_their_time() -> None:
    world, player, clock, happenings = play(recorded())
    channel = world.channels[ChannelId(5)]

    assert player.step(clock.ms + 59_999) <= START_MS + 60_000
    assert channel.newest_id == 6
    player.step(clock.ms + 60_000)
    assert channel.newest_id == 7
    post = channel.find(PostId(7))
    assert post is not None
    assert post.date_ms == START_MS + 60_000
    assert [h.entry.kind for h in happenings if isinstance(h, LogWritten)] == [Kind.NEW]


def test_counters_grow_to_what_was_recorded() -> None:
    world, _, clock, _ = play(recorded())
    post = world.channels[ChannelId(5)].find(PostId(6))
    assert post is not None

    young = post.counters.at(clock.ms)
    late = post.counters.at(post.date_ms + 94 * HOUR_MS)

    assert young.views is not None
    assert 0 < young.views < 400
    assert (late.views, late.forwards, late.replies) == (1000, 10, None)


def test_view_samples_are_followed_step_by_step() -> None:
    post = PlayedPost(Post(PostId(1), 0, views=30), 3000, views=((1000, 10), (2000, 20)))
    counters = post.counters(START_MS)
    ages = (1000, 1999, 2000, 3000, 9000)
    assert [counters.at(START_MS + age).views for age in ages] == [10, 10, 20, 30, 30]


def test_counters_without_an_instant_are_not_known() -> None:
    post = PlayedPost(Post(PostId(1), 0, views=30, reactions={"👍": 1}), None)
    assert post.counters(START_MS).at(START_MS + HOUR_MS).views is None


def test_subscribers_follow_their_samples() -> None:
    world, player, _, _ = play(recorded())
    channel, shift = world.channels[ChannelId(5)], player.shifts[ChannelId(5)]
    hours = (1, 7, 8, 9, 50)
    said = [channel.subscribers(shift.played(hour * HOUR_MS)) for hour in hours]
    assert said == [50, 50, 50, 60, 60]


def test_edit_comes_at_its_time() -> None:
    world, player, clock, happenings = play(recorded(edited_h=12))
    channel, shift = world.channels[ChannelId(5)], player.shifts[ChannelId(5)]
    clock.ms = shift.played(11 * HOUR_MS)
    player.step(clock.ms)
    post = channel.find(PostId(10))
    assert post is not None
    assert post.edit_date_ms is None

    player.step(shift.played(12 * HOUR_MS))

    assert post.edit_date_ms == shift.played(12 * HOUR_MS)
    kinds = [h.entry.kind for h in happenings if isinstance(h, LogWritten)]
    assert kinds == [Kind.NEW] * 4 + [Kind.EDIT]


async def test_plays_to_the_end_and_stays() -> None:
    world, player, _, happenings = play(recorded(read_h=11))
    await asyncio.wait_for(player.run(), PATIENCE_S)

    channel, shift = world.channels[ChannelId(5)], player.shifts[ChannelId(5)]
    assert player.ended
    assert shift.is_over(world.clock.now_ms())
    assert channel.newest_id == 10
    happenings.clear()
    player.step(world.clock.now_ms() + HOUR_MS)
    assert happenings == []


def test_counters_are_pushed_while_they_move_and_not_more_often() -> None:
    _, player, clock, happenings = play(recorded())
    for second in range(600):
        clock.ms = START_MS + second * 1000
        player.step(clock.ms)

    pushes = [h for h in happenings if isinstance(h, CountersMoved)]
    assert 20 < len(pushes) <= 121
    assert all(len(push.posts) <= 3 for push in pushes)


def test_many_channels_do_not_all_begin_at_once() -> None:
    channels = [
        PlayedChannel(ChannelId(n), f"channel{n}", None, recorded().posts) for n in range(1, 5)
    ]
    world, player, _, _ = play(*channels)
    for channel in world.channels.values():
        assert channel.newest_id == 6
    player.step(START_MS + 30_000)
    assert sorted(c.newest_id for c in world.channels.values()) == [6, 6, 7, 7]


@pytest.fixture(scope="module")
def shipped() -> list[PlayedChannel]:
    return read_channels(Recording(Path(loopback.__path__[0]) / "recording"))


def test_shipped_recording_has_plenty_to_play(shipped: list[PlayedChannel]) -> None:
    world, player, _, _ = play(*shipped)
    for one in shipped:
        channel, shift = world.channels[one.channel_id], player.shifts[one.channel_id]
        assert 0.55 < len(channel) / len(one.posts) <= 0.6
        assert one.end_ms - shift.recorded_start_ms > 24 * HOUR_MS


def test_shipped_recording_is_exact_where_it_was_read(shipped: list[PlayedChannel]) -> None:
    for one in shipped:
        for played in one.posts[::50]:
            counters = played.counters(played.post.date_ms)
            for at_ms, views in played.views:
                assert counters.at(at_ms).views == views
            if played.sampled_at_ms is not None and played.post.forwards is not None:
                assert counters.at(played.sampled_at_ms).forwards == played.post.forwards
