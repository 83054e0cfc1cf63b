"""Channels followed by another process are taken up by the running collector."""

import asyncio
from pathlib import Path

from analyticbot.following import keep_following
from control.announcer import Change
from control.sql import open_control
from streams.clock import SystemClock
from streams.embedded.log import EmbeddedLog
from streams.sources.cursors import Followed
from streams.topics import CONTROL


class Told:
    """Stands for the collector: what it was told, in order."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def follow(self, followed: Followed) -> None:
        self.said.put_nowait(("follow", followed.reference))

    async def unfollow(self, reference: str) -> None:
        self.said.put_nowait(("unfollow", reference))


async def test_what_is_followed_and_unfollowed_reaches_the_collector(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'control.db'}"
    mine, theirs = open_control(url), open_control(url)
    await mine.migrate()
    await theirs.follow("durov", 1)
    log = await EmbeddedLog.open(tmp_path / "log")
    await log.create(CONTROL, 1)
    told = Told()
    keeping = asyncio.create_task(keep_following(told, mine, log, SystemClock(), every_s=0.01))
    try:
        reader = log.subscribe([CONTROL.name], dict.fromkeys(await log.partitions(CONTROL.name), 0))
        await theirs.follow("telegram", 2)
        assert await told.said.get() == ("follow", "telegram")
        await theirs.unfollow("durov")
        assert await told.said.get() == ("unfollow", "durov")
        announced = await anext(reader)
        assert announced.records[-1].key == b"channels"
        assert Change.__struct_fields__ == ("v", "kind", "at_ms")
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        for store in (mine, theirs):
            await store.close()
        await log.close()
