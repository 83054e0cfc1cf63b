"""Messages that cannot be processed: put aside, until they are too many; or the end of a worker."""

from pathlib import Path

import msgspec

from agents.engine.dead import DeadLimit
from streams import topics
from streams.codec import encode
from streams.events import Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.log import Draft, Log
from streams.topics import channel_key
from tests.faults.failing import POISON
from tests.faults.harness import stage
from tests.faults.left import lying
from tests.faults.observations import observations
from tests.faults.waiting import until
from tests.faults.worker import Worker
from tests.kafka.cluster import Cluster
from tests.patience import PATIENCE_S

CHANNEL = ChannelId(77)
DAY_MS = 1_750_204_800_000


def seen(number: int, text: str) -> PostsSeen:
    post = Post(PostId(number), DAY_MS, text)
    return PostsSeen(channel_id=CHANNEL, observed_at_ms=DAY_MS + number, posts=[post])


def update(data: bytes) -> Draft:
    return Draft(topics.UPDATES.name, channel_key(CHANNEL), data, DAY_MS)


def unreadable() -> list[Draft]:
    """One of each kind."""
    fields = msgspec.msgpack.decode(encode(seen(1, "newer")))
    newer = msgspec.msgpack.encode({**fields, "v": 99})
    crooked = msgspec.msgpack.encode({**fields, "posts": "none"})
    return [update(data) for data in (b"\xc1 no msgpack", newer, crooked)]


async def put_aside(log: Log) -> dict[str, int]:
    """How many messages of telegram.updates, by reason."""
    found: dict[str, int] = {}
    for records in (await lying(log, topics.UPDATES.dead)).values():
        for record in records:
            reason = record.headers["reason"].decode()
            found[reason] = found.get(reason, 0) + 1
    return found


async def ended(worker: Worker) -> str:
    """The one line in which it says why it has ended by itself."""
    await until(lambda: not worker.running, PATIENCE_S, f"the end of {worker.name}")
    assert worker.exit_code == 1
    [line] = [line for line in worker.said().splitlines() if not line.startswith("{")]
    return line


async def test_messages_that_cannot_be_processed(broker: Cluster, tmp_path: Path) -> None:
    drafts = observations()[:600]
    async with stage(broker.url, tmp_path) as on:
        worker = on.worker("one", static=True)

        # A few are put aside.
        await on.log.append([*drafts[:300], *unreadable(), *drafts[300:400]])
        worker.start()
        await on.settled()
        each = dict.fromkeys(("broken_bytes", "unknown_version", "wrong_shape"), 1)
        assert await put_aside(on.log) == each
        await worker.stop()

        # One on which a step fails ends the worker, again and again; behind it nothing is done.
        [(at, offset)] = await on.log.append([update(encode(seen(2, POISON)))])
        await on.log.append([update(encode(seen(3, "behind it"))), *drafts[400:500]])
        worker.program = "tests.faults.failing"
        for _ in range(2):
            worker.start()
            assert await ended(worker) == "analyticbot: the pipeline stopped: a mean of no posts"
            assert (await on.committed())[at] <= offset
        worker.program = "tests.faults.victim"
        worker.start()
        await on.settled()
        await on.check()

        # Too many end it, each time, instead of emptying the log into the dead letters.
        most, before = DeadLimit().least, (await put_aside(on.log))["broken_bytes"]
        *_, (at, last) = await on.log.append([update(b"\xc1")] * 4 * most)
        for count in (1, 2, 3):
            assert "messages of telegram.updates cannot be processed" in await ended(worker)
            assert (await put_aside(on.log))["broken_bytes"] - before < count * most
            worker.start()
        await ended(worker)
        assert (await on.committed())[at] <= last
