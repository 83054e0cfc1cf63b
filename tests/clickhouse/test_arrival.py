"""Which posts of a replayed recording history has."""

from pathlib import Path

from analyticbot.arrival import arrival
from clickhouse.chdb import ChdbHistory, ChdbSettings
from clickhouse.rows import ObservedRows
from streams.embedded.log import EmbeddedLog
from streams.events import Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.sources.replay import Replayed

T = 1_735_689_600_000


def seen(channel_id: int, *numbers: int) -> PostsSeen:
    posts = [Post(PostId(n), T) for n in numbers]
    return PostsSeen(channel_id=ChannelId(channel_id), observed_at_ms=T, posts=posts)


async def test_posts_that_history_lost_are_missing(
    engine: Path, database: str, tmp_path: Path
) -> None:
    replayed = Replayed(2)
    for event in (seen(1, *range(1, 2002)), seen(2, 5, 6)):
        replayed.count(event)
    stored = ObservedRows()
    for event in (seen(1, *range(1, 2000), 7, 9000), seen(2, 6), seen(3, 5)):
        stored.take(event)
    history = await ChdbHistory.open(engine, ChdbSettings(database=database))
    log = await EmbeddedLog.open(tmp_path / "log")
    try:
        await history.migrate()
        for rows in stored.inserts("one"):
            await history.insert(rows)
        assert (await arrival(replayed, log, history, None)).missing_posts == 3
    finally:
        await log.close()
        await history.close()
