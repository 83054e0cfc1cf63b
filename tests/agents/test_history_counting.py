"""History counts the same four as every stage, after success, and the way of what it stores."""

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from agents.history.writer import HistoryAgent
from clickhouse.chdb import ChdbHistory
from clickhouse.history import HistoryUnavailable
from streams.ids import ChannelId
from streams.log import Draft
from streams.metrics import Metrics
from streams.topics import UPDATES, channel_key
from tests.agents.history_told import CHANNELS, MINUTE_MS, NOON_MS, ends, minute_of_messages
from tests.agents.history_told import opened_log as opened
from tests.agents.test_history import QUICK, Troubled
from tests.streams.sources.manual_clock import ManualClock


async def test_history_counts_the_four_and_the_way(tmp_path: Path) -> None:
    log, metrics = await opened(tmp_path / "log"), Metrics()
    history = Troubled(await ChdbHistory.open(tmp_path / "history"))
    await history.migrate()
    drafts = [*minute_of_messages(0), *minute_of_messages(1)]
    broken = Draft(UPDATES.name, channel_key(ChannelId(CHANNELS[0])), b"\xc1", NOON_MS)
    await log.append([*drafts, broken])
    history.before = [HistoryUnavailable("no route to it")]
    now_ms = NOON_MS + 2 * MINUTE_MS
    agent = HistoryAgent(log, history, metrics, QUICK, ManualClock(now_ms))
    running = asyncio.create_task(agent.run())
    await agent.caught_up(await ends(log))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await history.close()
    await log.close()

    def told(name: str, **labels: str) -> float:
        return metrics.registry.get_sample_value(f"analyticbot_{name}", labels) or 0

    assert told("received_total", stage="history") == len(drafts) + 1
    assert told("sent_total", stage="history") > 0
    assert told("dropped_total", stage="history", reason="broken_bytes") == 1
    assert told("errors_total", stage="history", kind="history_unavailable") == 1
    # One post in the first minute, two in the second.
    assert told("samples_total", stage="history") == 3 * len(CHANNELS)
    batches = told("stage_seconds_count", stage="history")
    assert 1 <= told("end_to_end_seconds_count", to="history") <= batches
    longest_s = 2 * MINUTE_MS / 1000
    assert 0 < told("end_to_end_seconds_sum", to="history") <= longest_s * batches
