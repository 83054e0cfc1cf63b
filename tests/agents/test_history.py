"""The history agent over the embedded log and the engine in process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from agents.history.settings import HistorySettings
from agents.history.writer import GROUP, HistoryAgent
from clickhouse.chdb import ChdbHistory
from clickhouse.history import Answer, HistoryError, HistoryUnavailable, Insert
from streams.embedded.log import EmbeddedLog
from streams.events import CountersSampled, Post, PostsSeen
from streams.ids import PostId
from streams.log import Bounds, Draft, LogFull, Member, Partition
from streams.metrics import Metrics
from streams.topics import ALERTS, UPDATES, WINDOWS, channel_key
from tests.agents.history_told import (
    CHANNELS,
    MINUTE_MS,
    NOON_MS,
    draft,
    ends,
    minute_of_messages,
    opened_log,
    run_in,
    stored,
    window,
)
from tests.patience import PATIENCE_S

QUICK = HistorySettings(batch_rows=100, batch_s=0.02, first_pause_s=0.01, longest_pause_s=0.02)


class Troubled:
    """A history whose next insertions fail: before, or (`after`) when they are stored already."""

    def __init__(self, history: ChdbHistory) -> None:
        self._history = history
        self.before: list[HistoryError] = []
        self.after: dict[str, HistoryError] = {}
        self.inserted: list[tuple[str, str]] = []

    async def migrate(self) -> Sequence[str]:
        return await self._history.migrate()

    async def insert(self, insert: Insert) -> None:
        if self.before:
            raise self.before.pop(0)
        await self._history.insert(insert)
        self.inserted.append((insert.table, insert.token))
        if error := self.after.pop(insert.table, None):
            raise error

    async def ask(self, query: str, parameters: Mapping[str, Any]) -> Answer:
        return await self._history.ask(query, parameters)

    async def close(self) -> None:
        await self._history.close()


class Cut:
    """A log whose members cannot do one of the things that members do."""

    def __init__(self, log: EmbeddedLog, call: str) -> None:
        self._log = log
        self._call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def join(self, group: str, topics: Sequence[str], *, instance: str | None = None) -> Any:
        return CutMember(await self._log.join(group, topics, instance=instance), self._call)


class CutMember:
    def __init__(self, member: Member, call: str) -> None:
        self._member = member
        self._call = call

    def __getattr__(self, name: str) -> Any:
        if name == self._call:
            return self._cut
        return getattr(self._member, name)

    async def _cut(self, what: Mapping[Partition, Any]) -> None:
        if self._call == "begin" or any(what.values()):
            raise LogFull("no space left")


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    log = await opened_log(tmp_path / "log")
    yield log
    await log.close()


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[Troubled]:
    history = Troubled(await ChdbHistory.open(tmp_path / "history"))
    await history.migrate()
    yield history
    await history.close()


@asynccontextmanager
async def running(agent: HistoryAgent) -> AsyncIterator[HistoryAgent]:
    task = asyncio.create_task(agent.run())
    try:
        yield agent
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def drain(log: Any, history: Troubled, metrics: Metrics | None = None) -> None:
    """Run an agent until all that is in the log is in history."""
    agent = HistoryAgent(log, history, metrics or Metrics(), QUICK)
    async with running(agent):
        await agent.caught_up(await ends(log))
        assert agent.position() == await ends(log)


async def totals(history: Troubled) -> tuple[int, ...]:
    """Views gained of the first channel: by the minutes, by the closed hours."""
    span = {"channel_id": CHANNELS[0], "from_ms": NOON_MS, "to_ms": NOON_MS + 60 * MINUTE_MS}
    answers = [
        (await history.ask(f"views_{size}", {**span, "step_ms": 60 * MINUTE_MS})).rows[0]["views"]
        for size in ("minutes", "hourly")
    ]
    return tuple(answers)


def count(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, {"stage": "history", **labels})


def failures(metrics: Metrics) -> float:
    return count(metrics, "analyticbot_errors_total", kind="history_unavailable") or 0


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  a counter has nothing to wait on
        await asyncio.sleep(0.01)


async def test_all_that_is_in_the_log_gets_into_history(
    log: EmbeddedLog, history: Troubled, tmp_path: Path
) -> None:
    drafts = [each for minute in range(12) for each in minute_of_messages(minute)]
    await log.append(drafts)
    metrics = Metrics()
    await drain(log, history, metrics)
    assert await totals(history) == (660, 660)
    assert await log.committed(GROUP) == await ends(log)
    assert count(metrics, "analyticbot_received_total") == len(drafts)
    rows = stored(tmp_path / "history")
    assert len(rows["post_samples"]) == len(CHANNELS) * 78
    assert len(rows["posts"]) == len(CHANNELS) * 12
    assert len(rows["alerts"]) == len(CHANNELS)


async def test_what_comes_later_follows(log: EmbeddedLog, history: Troubled) -> None:
    agent = HistoryAgent(log, history, Metrics(), QUICK)
    async with running(agent):
        for minute in range(3):
            await log.append(minute_of_messages(minute))
            await agent.caught_up(await ends(log))
            assert await totals(history) == (sum(range(0, 10 * minute + 10, 10)),) * 2


async def test_who_waits_for_what_is_stored_already_is_told(
    log: EmbeddedLog, history: Troubled
) -> None:
    await log.append(minute_of_messages(0))
    first = HistoryAgent(log, history, Metrics(), QUICK)
    async with running(first):
        await first.caught_up(await ends(log))
    second = HistoryAgent(log, history, Metrics(), QUICK)
    waiting = asyncio.create_task(second.caught_up(await ends(log)))
    # It waits before the agent has begun to run.
    await asyncio.sleep(0)
    async with running(second), asyncio.timeout(PATIENCE_S):
        await waiting
    assert second.position() == await ends(log)


async def test_what_was_dead_lettered_is_not_kept(
    log: EmbeddedLog, history: Troubled, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    of_tomorrow = msgspec.msgpack.encode({"kind": "of_tomorrow", "v": 1})
    future = Post(PostId(2), NOON_MS + 900_000)
    unequal = CountersSampled(
        channel_id=CHANNELS[0], observed_at_ms=NOON_MS, post_ids=[PostId(1)], views=[1, 2]
    )
    await log.append(
        [
            Draft(UPDATES.name, b"1", b"\xc1", NOON_MS),
            Draft(UPDATES.name, b"1", None, NOON_MS),
            Draft(WINDOWS.name, b"1", b"\x80", NOON_MS),
            Draft(WINDOWS.name, b"1", of_tomorrow, NOON_MS),
            Draft(ALERTS.name, b"1", of_tomorrow, NOON_MS),
            draft(
                UPDATES,
                PostsSeen(channel_id=CHANNELS[0], observed_at_ms=NOON_MS, posts=[future]),
            ),
            draft(UPDATES, unequal),
            *minute_of_messages(0),
        ]
    )
    metrics = Metrics()
    await drain(log, history, metrics)
    rows = stored(tmp_path / "history")
    assert len(rows["posts"]) == len(rows["post_samples"]) == len(CHANNELS)
    dropped = "analyticbot_dropped_total"
    assert count(metrics, dropped, reason="broken_bytes") == 1
    assert count(metrics, dropped, reason="future_date") == 1
    assert count(metrics, dropped, reason="wrong_shape") == 1
    assert count(metrics, dropped, reason="unknown_kind") == 2
    said = [r.__dict__["reason"] for r in caplog.records if r.message == "message_skipped"]
    assert sorted(said) == ["unknown_kind", "wrong_shape"]
    assert count(metrics, dropped, reason="uneven_columns") == 1


async def test_spellings_of_a_channel_are_one_channel(
    log: EmbeddedLog, history: Troubled, tmp_path: Path
) -> None:
    marked = PostsSeen(
        channel_id=-1_000_000_000_000 - CHANNELS[0],  # type: ignore[arg-type]
        observed_at_ms=NOON_MS,
        posts=[Post(PostId(1), NOON_MS)],
    )
    await log.append(
        [Draft(UPDATES.name, channel_key(CHANNELS[0]), draft(UPDATES, marked).value, 1)]
    )
    await drain(log, history)
    [post] = stored(tmp_path / "history")["posts"]
    assert post[0] == CHANNELS[0]


@pytest.mark.parametrize("table", ["posts", "post_samples", "windows", "alerts"])
async def test_a_batch_cut_short_is_inserted_as_it_was(
    log: EmbeddedLog, history: Troubled, tmp_path: Path, table: str
) -> None:
    """The process ends with some of a batch's tables stored; more comes before it is back."""
    await log.append([each for minute in range(4) for each in minute_of_messages(minute)])
    history.after[table] = HistoryError("the process ended")
    agent = HistoryAgent(log, history, Metrics(), QUICK)
    with pytest.raises(HistoryError, match="ended"):
        await agent.run()
    with pytest.raises(HistoryUnavailable):
        await agent.caught_up(await ends(log))
    first_token = history.inserted[-1][1]
    await log.append([each for minute in range(4, 8) for each in minute_of_messages(minute)])
    history.inserted.clear()
    await drain(log, history)
    assert history.inserted[0][1] == first_token
    assert await totals(history) == (280, 280)
    assert len(stored(tmp_path / "history")["post_samples"]) == len(CHANNELS) * 36


async def test_a_table_stored_without_its_roll_ups_is_healed(
    log: EmbeddedLog, history: Troubled, tmp_path: Path
) -> None:
    """As after a kill between the two: the same token fills the roll-up and not the table."""
    await log.append([each for minute in range(4) for each in minute_of_messages(minute)])
    history.after["windows"] = HistoryError("the process ended")
    run_in(tmp_path / "history", "DETACH TABLE channel_hourly_filled")
    with pytest.raises(HistoryError, match="ended"):
        await HistoryAgent(log, history, Metrics(), QUICK).run()
    run_in(tmp_path / "history", "ATTACH TABLE channel_hourly_filled")
    assert await totals(history) == (60, 30)
    await drain(log, history)
    assert await totals(history) == (60, 60)


@pytest.mark.parametrize("call", ["begin", "finish"])
async def test_a_commit_that_fails_loses_and_repeats_nothing(
    log: EmbeddedLog, history: Troubled, call: str
) -> None:
    await log.append([each for minute in range(4) for each in minute_of_messages(minute)])
    with pytest.raises(LogFull):
        await HistoryAgent(Cut(log, call), history, Metrics(), QUICK).run()
    await drain(log, history)
    assert await totals(history) == (60, 60)


async def test_windows_sent_again_are_rolled_up_once(log: EmbeddedLog, history: Troubled) -> None:
    """A worker that restarts sends what stands again, at new offsets."""
    await log.append([each for minute in range(4) for each in minute_of_messages(minute)])
    await drain(log, history)
    again = [
        draft(WINDOWS, window(CHANNELS[0], minute, 10 * minute, closed=minute < 3))
        for minute in range(4)
    ]
    metrics = Metrics()
    await log.append([*again, *again])
    await drain(log, history, metrics)
    assert await totals(history) == (60, 60)
    assert count(metrics, "analyticbot_dropped_total", reason="closed_before") == 3


async def test_a_store_that_is_away_is_waited_for(
    log: EmbeddedLog, history: Troubled, caplog: pytest.LogCaptureFixture
) -> None:
    history.before = [HistoryUnavailable("connection refused") for _ in range(5)]
    await log.append([each for minute in range(4) for each in minute_of_messages(minute)])
    metrics = Metrics()
    with caplog.at_level(logging.INFO, "agents.history.writer"):
        await drain(log, history, metrics)
    assert await totals(history) == (60, 60)
    assert count(metrics, "analyticbot_errors_total", kind="history_unavailable") == 5
    said = [(each.message, vars(each)["what"]) for each in caplog.records if "what" in vars(each)]
    assert said == [("unavailable", "history"), ("available", "history")]


async def test_while_the_store_is_away_the_log_is_not_read_on(
    log: EmbeddedLog, history: Troubled
) -> None:
    history.before = [HistoryUnavailable("connection refused")] * 10_000
    metrics = Metrics()
    await log.append(minute_of_messages(0))
    async with running(HistoryAgent(log, history, metrics, QUICK)) as agent:
        await until(lambda: failures(metrics) > 0)
        await log.append([each for minute in range(1, 9) for each in minute_of_messages(minute)])
        await until(lambda: failures(metrics) > 5)
        assert set(agent.position().values()) == {0}
        history.before.clear()
        await agent.caught_up(await ends(log))
    assert await totals(history) == (360, 360)


@pytest.mark.parametrize("begun", [0, 2])
async def test_what_retention_removed_is_told_and_counted(
    log: EmbeddedLog, history: Troubled, caplog: pytest.LogCaptureFixture, begun: int
) -> None:
    class Trimmed(Cut):
        async def bounds(self, topic: str) -> Mapping[Partition, Bounds]:
            bounds = await self._log.bounds(topic)
            return {at: Bounds(min(3, has.next), has.next) for at, has in bounds.items()}

    await log.append(minute_of_messages(0))
    before = await ends(log)
    await log.commit(GROUP, dict.fromkeys(before, 0))
    # A batch of what is gone may have been begun.
    await log.commit(f"{GROUP}-pending", dict.fromkeys(before, begun))
    metrics = Metrics()
    await drain(Trimmed(log, ""), history, metrics)
    lost = sum(min(3, end) for end in before.values())
    assert count(metrics, "analyticbot_dropped_total", reason="removed_by_retention") == lost
    assert "history_gap" in [record.message for record in caplog.records]
