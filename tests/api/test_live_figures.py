"""When history is asked for the posts of today: while somebody is shown them."""

import asyncio
from collections.abc import Mapping

import pytest

from api import live_figures
from api.live_figures import LiveFigures
from api.live_view import LiveView
from api.messages import Snapshot
from clickhouse.evidence import Basis
from streams.ids import ChannelId
from streams.log import Log
from tests.api.reading import FixedReader
from tests.api.serving import Serving, next_of, standing_clock, until


class CountedReader(FixedReader):
    def __init__(self) -> None:
        self.asked = 0
        #: Cleared while history does not answer.
        self.answers = asyncio.Event()
        self.answers.set()

    async def posts_of_all(
        self, from_ms: int, to_ms: int
    ) -> Mapping[ChannelId, tuple[int | None, Basis]]:
        self.asked += 1
        await self.answers.wait()
        return await super().posts_of_all(from_ms, to_ms)


async def test_posts_are_counted_while_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_figures, "COUNT_POSTS_EVERY_S", 0.001)
    reader, watchers = CountedReader(), iter([0, 0, 0, 1, 2])
    reader.answers.clear()
    counting = LiveFigures(LiveView(), reader).keep_counted(standing_clock(), watchers.__next__)
    running = asyncio.create_task(counting)
    await until(lambda: reader.asked)
    assert list(watchers) == [2]
    running.cancel()
    await asyncio.wait({running})


async def test_a_client_after_a_while_without_any_has_them_counted_first(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = CountedReader()
    async with Serving(log, reader) as serving:
        async with serving.connect() as socket:
            await next_of(socket, Snapshot)
        assert reader.asked == 1
        monkeypatch.setattr(live_figures, "COUNT_POSTS_EVERY_S", 0.0)
        monkeypatch.setattr(live_figures, "_PATIENCE_S", 0.01)
        async with serving.connect() as socket:
            await next_of(socket, Snapshot)
            assert reader.asked > 1
        reader.answers.clear()
        async with serving.connect() as socket:
            await next_of(socket, Snapshot)
        reader.answers.set()
