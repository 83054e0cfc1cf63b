"""The collector observes channels: history, pushes, counters, descriptions, and after a restart."""

from loopback.world.channel import WorldPost
from loopback.world.counters import Counters
from streams.events import ChannelDescribed, CountersSampled, PostsSeen, SubscribersSampled
from streams.units import HOUR_MS, MINUTE_MS
from tests.collect.conftest import START_MS, USER, Scene, history, until


async def test_the_whole_history_in_pages_of_100(scene: Scene) -> None:
    channel = scene.channel(history=history(250))
    await scene.follow("@News")
    scene.start(backfill_pause_ms=0)
    await until(lambda: len(scene.seen(channel)) == 250)
    assert scene.seen(channel)[7] == "post 7"
    assert [len(event.posts) for event in scene.of(PostsSeen)] == [100, 100, 50]
    newest = scene.of(PostsSeen)[0].posts[0]
    assert (newest.post_id, newest.views, newest.forwards) == (250, 2500, 250)
    [followed] = await scene.control.followed()
    assert followed.channel_id == 1001
    cursor = None
    while cursor is None or not cursor.backfill_done:
        cursor = await scene.control.cursor(channel.channel_id)
    assert (cursor.last_post_id, cursor.backfilled_to) == (250, 1)


async def test_a_backfill_goes_on_where_it_was_killed(scene: Scene) -> None:
    channel = scene.channel(history=history(350))
    await scene.follow("news")
    scene.telegram.faults.delay(60, "messages.getHistory", nth=3)
    scene.start(backfill_pause_ms=0)
    await until(lambda: scene.telegram.calls.count("messages.getHistory") == 3)
    await scene.stop()
    assert len(scene.seen(channel)) == 200
    scene.telegram.faults.clear()
    scene.start(backfill_pause_ms=0)
    await until(lambda: len(scene.seen(channel)) == 350)
    asked = [call.request.offset_id for call in scene.telegram.calls.of("messages.getHistory")]
    # newest, second page, (killed), newest and what is still recent, then on from 151
    assert asked[:3] == [0, 251, 151]
    assert asked[3] == 0
    assert 151 in asked[4:]
    assert all(offset <= 251 for offset in asked)


async def test_it_joins_and_describes(scene: Scene) -> None:
    channel = scene.channel(history=history(1))
    channel.about = "All of it"
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    [described] = scene.of(ChannelDescribed)
    assert (described.title, described.username, described.about) == ("News", "news", "All of it")
    assert [event.subscribers for event in scene.of(SubscribersSampled)] == [42]
    assert channel.channel_id in scene.world.accounts[USER].joined
    channel.title = "Better news"
    scene.clock.advance(5 * MINUTE_MS)
    await until(lambda: len(scene.of(SubscribersSampled)) == 2)
    assert [event.title for event in scene.of(ChannelDescribed)] == ["News", "Better news"]


async def test_pushes_arrive_as_events(scene: Scene) -> None:
    channel = scene.channel(history=history(2))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    scene.clock.advance(1234)
    scene.world.post(channel, "pushed")
    await until(lambda: scene.seen(channel).get(3) == "pushed")
    assert scene.of(PostsSeen)[-1].observed_at_ms == scene.clock.now_ms()
    scene.world.edit(channel, 1, "edited")
    await until(lambda: scene.seen(channel)[1] == "edited")
    scene.world.delete(channel, [2])
    await until(lambda: 2 not in scene.seen(channel))
    scene.world.set_counters(channel, 3, views=77, forwards=5, reactions={"👍": 4}, push=True)
    await until(lambda: scene.of(CountersSampled, channel))
    sample = scene.of(CountersSampled, channel)[-1]
    assert (sample.post_ids, sample.views, sample.forwards) == ([3], [77], [5])
    # one page to catch up, one to find that there is nothing before it
    assert scene.telegram.calls.count("messages.getHistory") == 2


async def test_young_posts_are_sampled_more_often(scene: Scene) -> None:
    young = scene.channel(1001, "young", history=history(1, every_ms=10 * MINUTE_MS))
    older = scene.channel(1002, "older", history=history(1, every_ms=7 * HOUR_MS))
    await scene.follow("young", "older")
    scene.start(check_every_ms=1 << 50, describe_every_ms=1 << 50)
    await scene.live(young, older)
    for minute in range(1, 31):
        scene.clock.advance(MINUTE_MS)
        await until(lambda done=minute: len(scene.sampled(young)) == done)
    await until(lambda: len(scene.sampled(older)) == 1)
    assert len(scene.sampled(young)) == 30


async def test_counters_are_read_and_never_changed(scene: Scene) -> None:
    channel = scene.channel(history=history(150, every_ms=MINUTE_MS // 10))
    await scene.follow("news")
    scene.start(check_every_ms=1 << 50, backfill_pause_ms=0)
    await until(lambda: len(scene.seen(channel)) == 150)
    scene.world.set_counters(channel, 150, views=9000, forwards=9, replies=3)
    scene.clock.advance(MINUTE_MS)
    await until(lambda: set(scene.sampled(channel)) == set(range(1, 151)))
    samples = scene.of(CountersSampled, channel)
    assert sorted(len(sample.post_ids) for sample in samples) == [50, 100]
    read = {i: n for s in samples for i, n in zip(s.post_ids, s.views or [], strict=True)}
    assert (read[150], read[1]) == (9000, 10)
    calls = scene.telegram.calls.of("messages.getMessagesViews")
    assert all(len(call.request.id) <= 100 and not call.request.increment for call in calls)
    assert channel.find(1).counters.at(0).views == 10


async def test_reactions_are_sampled_where_there_are_any(scene: Scene) -> None:
    channel = scene.channel(history=history(2, every_ms=MINUTE_MS))
    scene.world.set_counters(channel, 2, reactions={"👍": 1})
    await scene.follow("news")
    scene.start(check_every_ms=1 << 50)
    await scene.live(channel)
    scene.world.set_counters(channel, 2, reactions={"👍": 4, "🔥": 2})
    scene.clock.advance(MINUTE_MS)
    await until(lambda: scene.sampled(channel))
    sample = scene.of(CountersSampled, channel)[0]
    reactions = dict(zip(sample.post_ids, sample.reactions or [], strict=True))
    assert reactions == {1: 0, 2: 6}
    assert sample.replies == [0, 0]


async def test_a_restart_takes_up_the_cursor(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await until(lambda: len(scene.seen(channel)) == 3)
    await scene.live(channel)
    await scene.stop()
    scene.world.post(channel, "while away")
    scene.world.edit(channel, 2, "edited while away")
    scene.world.delete(channel, [1])
    scene.start()
    await until(
        lambda: scene.seen(channel) == {2: "edited while away", 3: "post 3", 4: "while away"}
    )
    assert scene.telegram.calls.count("contacts.resolveUsername") == 1


async def test_following_and_unfollowing_while_it_runs(scene: Scene) -> None:
    first, second = scene.channel(), scene.channel(1002, "other", history=history(1))
    await scene.follow("news")
    collector = scene.start()
    await scene.live(first)
    await collector.follow(await scene.control.follow("other", 0))
    await scene.live(second)
    await collector.unfollow("news")
    scene.world.post(first, "not seen")
    scene.world.post(second, "seen")
    await until(lambda: "seen" in scene.seen(second).values())
    assert scene.seen(first) == {}


async def test_one_channel_followed_by_name_and_by_id(scene: Scene) -> None:
    channel = scene.channel(history=history(1))
    await scene.follow("news")
    collector = scene.start()
    await scene.live(channel)
    await collector.follow(await scene.control.follow("-1000000001001", 0))
    scene.world.post(channel, "once")
    await until(lambda: "once" in scene.seen(channel).values())
    assert len([p for e in scene.of(PostsSeen) for p in e.posts if p.text == "once"]) == 1


class ViewsAlone:
    """As recorded where nobody wrote the forwards down: its messages come without counters."""

    def at(self, now_ms: int) -> Counters:
        return Counters(views=77)


def read_anew(scene: Scene, before: int) -> bool:
    """Lets a minute pass: when the next reading is due depends on when the last one ended."""
    scene.clock.advance(MINUTE_MS)
    return scene.telegram.calls.count("messages.getHistory") > before


async def test_a_post_that_comes_without_counters_is_sampled_once(scene: Scene) -> None:
    days_ms = 40 * 24 * HOUR_MS
    old = [WorldPost(n, START_MS - days_ms, f"{n}", ViewsAlone()) for n in range(1, 151)]
    channel = scene.channel(history=old)
    await scene.follow("news")
    scene.start(backfill_pause_ms=0)
    await until(lambda: sorted(scene.sampled(channel)) == list(range(1, 151)))
    samples = scene.of(CountersSampled, channel)
    assert all(set(sample.views or []) == {77} for sample in samples)
    assert all(sample.forwards is None for sample in samples)
    assert all(set(sample.replies or []) == {0} for sample in samples)
    assert all(post.views is None for event in scene.of(PostsSeen) for post in event.posts)
    assert scene.telegram.calls.count("messages.getMessagesViews") == 2
    for _ in range(3):  # read again and again, they are neither news nor sampled
        before = scene.telegram.calls.count("messages.getHistory")
        await until(lambda one=before: read_anew(scene, one))
    await scene.stop()
    assert scene.telegram.calls.count("messages.getMessagesViews") == 2
    assert sum(len(event.posts) for event in scene.of(PostsSeen)) == 150


async def test_a_pushed_post_without_counters_is_sampled_at_the_next_turn(scene: Scene) -> None:
    channel = scene.channel()
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    scene.world.post(channel, "pushed", counters=ViewsAlone())
    await until(lambda: scene.seen(channel) == {1: "pushed"})
    assert scene.of(PostsSeen)[0].posts[0].views is None
    scene.clock.advance(MINUTE_MS)
    await until(lambda: scene.sampled(channel) == [1])


async def test_reading_again_between_turns_says_nothing_of_counters(scene: Scene) -> None:
    channel = scene.channel(history=history(2, every_ms=7 * HOUR_MS))
    await scene.follow("news")
    scene.start(backfill=False)
    await scene.live(channel)
    sampled = len(scene.sampled(channel))
    reads = scene.telegram.calls.count("messages.getHistory")
    with scene.telegram.faults.lost_pushes():
        scene.world.edit(channel, 1, "edited")
    scene.clock.advance(5 * MINUTE_MS)
    await until(lambda: scene.seen(channel)[1] == "edited")
    assert scene.telegram.calls.count("messages.getHistory") == reads + 1
    assert len(scene.sampled(channel)) == sampled


async def test_reading_again_in_a_turn_is_the_sample(scene: Scene) -> None:
    """One post of 2 h is due every five minutes, as the newest posts are read: no other request."""
    channel = scene.channel(history=history(1, every_ms=2 * HOUR_MS))
    await scene.follow("news")
    scene.start(backfill=False)
    await scene.live(channel)
    sampled = len(scene.sampled(channel))
    scene.clock.advance(5 * MINUTE_MS)
    await until(lambda: len(scene.sampled(channel)) == sampled + 1)
    assert scene.telegram.calls.count("messages.getMessagesViews") == 0


async def test_events_say_their_source(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start(source="recording")
    await scene.live(channel)
    scene.world.edit(channel, 1, "edited")
    scene.world.delete(channel, [2])
    scene.world.set_counters(channel, 3, views=77, push=True)
    await until(lambda: scene.sampled(channel) and 2 not in scene.seen(channel))
    scene.clock.advance(5 * MINUTE_MS)
    await until(lambda: len(scene.of(CountersSampled)) > 1)
    assert len({type(event) for event in scene.events}) == 7
    assert {event.source for event in scene.events} == {"recording"}
