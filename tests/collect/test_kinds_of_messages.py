"""Service messages are no posts, albums arrive whole, reactions are no edits."""

from loopback.world.channel import WorldPost
from streams.events import CountersSampled, PostsEdited, PostsSeen
from streams.units import MINUTE_MS
from tests.collect.conftest import START_MS, Scene, history, until


async def test_service_messages_are_no_posts(scene: Scene) -> None:
    past = [*history(2), WorldPost(3, START_MS - 1000, service="title")]
    channel = scene.channel(history=past)
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    scene.world.serve(channel, "pinned")
    scene.world.post(channel, "after it")
    await until(lambda: scene.seen(channel).get(5) == "after it")
    with scene.telegram.faults.lost_pushes():
        scene.world.serve(channel, "title")
    for _ in range(3):
        samples = len(scene.of(CountersSampled))
        scene.clock.advance(5 * MINUTE_MS)
        await until(lambda n=samples: len(scene.of(CountersSampled)) > n)
    assert set(scene.seen(channel)) == {1, 2, 5}
    assert set(scene.sampled(channel)) <= {1, 2, 5}


async def test_a_channel_of_service_messages_alone(scene: Scene) -> None:
    notices = [WorldPost(n, START_MS - 1000, service="pinned") for n in range(1, 151)]
    channel = scene.channel(history=notices)
    await scene.follow("news")
    scene.start(backfill_pause_ms=0)
    await scene.live(channel)
    cursor = None
    while cursor is None or not cursor.backfill_done:
        cursor = await scene.control.cursor(channel.channel_id)
    assert (cursor.last_post_id, scene.seen(channel)) == (150, {})


async def test_albums_arrive_whole_pushed_and_across_pages(scene: Scene) -> None:
    split = [
        WorldPost(n, START_MS - 1000, f"{n}", media="photo", album_id=99) for n in range(96, 106)
    ]
    channel = scene.channel(history=[*history(95), *split])
    for n in range(106, 201):  # the page of the newest hundred ends within the album
        channel.put(WorldPost(n, START_MS - 500, f"{n}"))
    await scene.follow("news")
    scene.start(backfill_pause_ms=0)
    await until(lambda: len(scene.seen(channel)) == 200)
    await scene.live(channel)
    album = scene.world.post_album(channel, [f"photo {n}" for n in range(10)])
    await until(lambda: len(scene.seen(channel)) == 210)
    albums: dict[int, set[int]] = {}
    for event in scene.of(PostsSeen):
        for post in event.posts:
            if post.album_id is not None:
                albums.setdefault(post.album_id, set()).add(post.post_id)
    assert albums == {99: set(range(96, 106)), album[0].album_id: set(range(201, 211))}


async def test_reactions_on_an_edited_post_carry_its_one_edit(scene: Scene) -> None:
    """Telegram pushes each as an edit with the date of the last one: no reader counts it again."""
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    scene.clock.advance(2000)
    scene.world.edit(channel, 3, "corrected")
    await until(lambda: scene.seen(channel)[3] == "corrected")
    at_ms = scene.clock.now_ms()
    for n in range(1, 6):
        scene.clock.advance(1500)
        scene.world.set_counters(channel, 3, reactions={"👍": n})
        scene.world.edit(channel, 3, "corrected", at_ms=at_ms)
        await until(lambda pushed=n: len(scene.of(PostsEdited)) == pushed + 1)
    posts = [event.posts[0] for event in scene.of(PostsEdited)]
    assert {post.edit_date_ms for post in posts} == {at_ms}
    assert [post.reactions for post in posts[1:]] == [{"👍": n} for n in range(1, 6)]
    # and the round that compares what is known finds no edit that is not known
    edits = len(posts)
    scene.telegram.drop_connections()
    await scene.live(channel, times=2)
    await scene.pass_until(lambda: scene.telegram.calls.count("channels.getMessages") == 1)
    scene.world.post(channel, "later")
    await until(lambda: "later" in scene.seen(channel).values())
    assert len(scene.of(PostsEdited)) == edits
