"""What the agents do with a kind of message that only a newer version knows."""

from pathlib import Path

import msgspec

from streams import topics
from streams.log import Draft
from streams.topics import channel_key
from tests.agents.pure import CHANNEL
from tests.agents.working import append, records, working

T = 1_750_000_000_000
OF_TOMORROW = msgspec.msgpack.encode(
    {"kind": "of_tomorrow", "v": 1, "channel_id": CHANNEL, "observed_at_ms": T}
)


async def test_an_observation_is_a_dead_letter_and_a_decision_is_nothing_to_spikes(
    tmp_path: Path,
) -> None:
    drafts = [
        Draft(topic.name, channel_key(CHANNEL), OF_TOMORROW, T)
        for topic in (topics.UPDATES, topics.WINDOWS)
    ]
    async with working(tmp_path) as work:
        await append(work.log, drafts)
        await work.settled()
        (dead,) = await records(work.log, topics.UPDATES.dead)
        assert (dead.value, dead.headers["reason"]) == (OF_TOMORROW, b"unknown_kind")
        assert work.counted("received", stage="windows") == 1
        assert await records(work.log, topics.WINDOWS.dead) == []
