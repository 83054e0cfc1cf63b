"""ClickHouse away, cut off, silent, killed: the pipeline goes on, and history catches up."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from agents.history.writer import HistoryAgent
from clickhouse.history import HistoryUnavailable
from clickhouse.opening import open_history
from clickhouse.server import ServerHistory, ServerSettings
from tests.agents.history_told import stored
from tests.agents.working import Working, append, drafts_of, recorded_events, working
from tests.faults.clickhouse import ClickHouse
from tests.faults.history import carrying, differences, ends, wanted
from tests.faults.load import loading
from tests.faults.proxy import Proxy
from tests.faults.waiting import until
from tests.laws.history import gained, store, window
from tests.patience import PATIENCE_S


class Scene:
    """The pipeline on an embedded log, and history on a server behind a proxy."""

    def __init__(
        self, work: Working, agent: HistoryAgent, server: ClickHouse, proxy: Proxy, folder: Path
    ) -> None:
        self.work = work
        self.agent = agent
        self.server = server
        self.proxy = proxy
        self._folder = folder

    @property
    def failures(self) -> float:
        return self.work.counted("errors", stage="history", kind="history_unavailable")

    async def caught_up(self) -> None:
        await self.work.settled()
        async with asyncio.timeout(PATIENCE_S):
            await self.agent.caught_up(await ends(self.work.log))

    async def check(self) -> None:
        """Everything once, also in the roll-ups."""
        await self.caught_up()
        rows = await wanted(self.work.log, self._folder / "wanted")
        await asyncio.to_thread(self.server.stop)
        assert differences(stored(self.server.folder), rows) == []
        assert all(rows[table] for table in ("post_samples", "windows", "channel_hourly"))


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    with ClickHouse(folder / "server") as server, Proxy(server.port) as proxy:
        history = await open_history(f"clickhouse://127.0.0.1:{proxy.port}/analyticbot")
        assert isinstance(history, ServerHistory)
        try:
            await history.migrate()
            async with (
                working(folder / "log") as work,
                carrying(work.log, history, work.metrics) as agent,
            ):
                yield Scene(work, agent, server, proxy, folder)
        finally:
            await history.close()


def inserts(request: bytes) -> bool:
    return b"INSERT" in request


async def test_while_it_is_away_everything_else_goes_on(tmp_path: Path) -> None:
    drafts = drafts_of(recorded_events())
    third = len(drafts) // 3
    async with scene(tmp_path) as on:
        await append(on.work.log, drafts[:third])
        await on.caught_up()
        await asyncio.to_thread(on.server.kill)
        stood = on.agent.position()
        windows = on.work.counted("sent", stage="updates")
        await append(on.work.log, drafts[third:])
        await on.work.settled()
        await until(lambda: on.failures > 3, PATIENCE_S, "history to notice")
        assert on.work.counted("sent", stage="updates") > windows
        assert on.agent.position() == stood
        await asyncio.to_thread(on.server.start)
        await on.check()


async def test_answers_of_insertions_are_lost(tmp_path: Path) -> None:
    """Each was stored, its sender cannot know: repeated, it changes nothing, also no roll-up."""
    drafts = drafts_of(recorded_events())
    async with scene(tmp_path) as on:
        async with loading(on.work.log, drafts, rate=2_000) as load:
            for count in range(1, 13):
                await load.reached(count / 14)
                on.proxy.lose_answers(after_bytes=count % 3 * 60, asked=inserts)
                await until(lambda: on.proxy.lost == count, PATIENCE_S, "an answer lost")  # noqa: B023
        await on.check()


async def test_one_that_says_nothing_any_more_is_given_up(tmp_path: Path) -> None:
    with ClickHouse(tmp_path / "server") as server, Proxy(server.port) as proxy:
        settings = ServerSettings(
            host="127.0.0.1",
            port=proxy.port,
            user="default",
            password="",
            database="analyticbot",
            secure=False,
            answer_timeout_s=1,
        )
        history = await ServerHistory.open(settings)
        await history.migrate()
        proxy.black_hole()
        with pytest.raises(HistoryUnavailable):
            await store(history, window("a", 0, 10))
        proxy.resume()
        await store(history, window("a", 0, 10))
        assert await gained(history, "hourly") == [10]
        await history.close()


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(3))
async def test_killed_again_and_again(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with scene(tmp_path) as on:
        async with loading(on.work.log, drafts_of(recorded_events()), rate=400) as load:
            for share in sorted(chance.uniform(0.05, 0.95) for _ in range(6)):
                await load.reached(share)
                if chance.random() < 0.5:
                    # It dies with an insertion that it has stored and not told of.
                    lost = on.proxy.lost
                    on.proxy.lose_answers(asked=inserts)
                    await until(lambda: on.proxy.lost > lost, PATIENCE_S, "an insertion")  # noqa: B023
                await asyncio.to_thread(on.server.kill)
                await asyncio.to_thread(on.server.start)
        await on.check()


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(3))
async def test_a_bad_network(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with scene(tmp_path) as on:
        proxy = on.proxy
        proxy.delay(0.0, jitter_s=0.02)
        async with loading(on.work.log, drafts_of(recorded_events()), rate=300) as load:
            for share in sorted(chance.uniform(0.02, 1) for _ in range(60)):
                await load.reached(share)
                chance.choice([proxy.cut, proxy.half_close, proxy.go_away, proxy.black_hole])()
                await load.reached(min(share + 0.01, 1))
                proxy.resume()
        await on.check()
