"""The collector counts the same four as every stage, after success, and what waits."""

from tests.collect.conftest import Scene, history, until


def _counted(scene: Scene, name: str, **labels: str) -> float:
    labels = {"stage": "collector", **labels}
    return scene.metrics.registry.get_sample_value(f"analyticbot_{name}", labels) or 0


async def test_answers_and_pushes_are_received_and_what_the_log_took_is_sent(scene: Scene) -> None:
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    answers = _counted(scene, "received_total")
    assert answers >= 2
    await until(lambda: _counted(scene, "sent_total") == len(scene.events))
    assert _counted(scene, "samples_total") >= 3
    samples = _counted(scene, "samples_total")
    scene.world.post(channel, "pushed")
    await until(lambda: "pushed" in scene.seen(channel).values())
    await until(lambda: _counted(scene, "sent_total") == len(scene.events))
    assert _counted(scene, "received_total") > answers
    assert _counted(scene, "samples_total") == samples + 1
    assert _counted(scene, "queued_messages") == 0


async def test_a_push_of_a_channel_that_is_not_followed_is_dropped(scene: Scene) -> None:
    followed, other = scene.channel(history=history(1)), scene.channel(1002, "other")
    await scene.follow("news", "other")
    collector = scene.start()
    await scene.live(followed, other)
    await collector.unfollow("other")
    scene.world.post(other, "nobody wants to know")
    await until(lambda: _counted(scene, "dropped_total", reason="not_followed") >= 1)


async def test_a_channel_that_cannot_be_read_is_an_error(scene: Scene) -> None:
    await scene.follow("nobody_here")
    scene.start()
    await until(lambda: _counted(scene, "errors_total", kind="unreadable") == 1)
