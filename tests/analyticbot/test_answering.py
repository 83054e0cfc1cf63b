"""Who answers for the bot: one of those that could, and another one when it cannot any more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from analyticbot.config import read_settings
from analyticbot.failure import Failure
from analyticbot.process import Process, started
from analyticbot.roles.bot import Answering, answer
from bot.settings import BotSettings
from control.sql import SqlControl, open_control
from control.store import ControlUnavailable, Lease
from streams.metrics import Metrics
from tests.api.serving import standing_clock
from tests.bot.stage import ANN, Stage, staged
from tests.patience import PATIENCE_S

LEASE_S = 3


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        yield stage


@pytest.fixture
async def process(stage: Stage, tmp_path: Path) -> AsyncIterator[Process]:
    chosen = {
        "ANALYTICBOT_DATA": str(tmp_path),
        # Others may ask there as well.
        "ANALYTICBOT_CONTROL": f"sqlite:///{tmp_path}/control.sqlite",
        "ANALYTICBOT_LEASE_S": str(LEASE_S),
    }
    settings = read_settings(chosen, tmp_path)
    async with started(settings, stage.log, standing_clock(), Metrics()) as process:
        yield process


def answering(stage: Stage, process: Process, holder: str, control: SqlControl) -> Answering:
    return Answering(process._replace(holder=holder), control, "bot/42", stage.bot)


async def says(answering: Answering, words: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while words not in (await answering.check()).says:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def held(process: Process) -> float | None:
    return process.metrics.registry.get_sample_value("analyticbot_lease_held", {"kind": "bot"})


async def test_one_answers_and_the_other_stands_by(stage: Stage, process: Process) -> None:
    one = answering(stage, process, "one", stage.control)
    two = answering(stage, process, "two", stage.control)
    first = asyncio.create_task(one.run())
    await says(one, "answers")
    assert held(process) == 1
    process.services.add("two", two.run())
    await says(two, "standing by: another process answers")
    assert (await two.check()).ready
    await stage.ask("/start")
    first.cancel()
    await asyncio.wait({first})
    await says(two, "answers")
    await stage.ask("/help")
    # Nobody was refused for two that poll at once.
    assert stage.counted("analyticbot_errors_total", kind="TelegramConflictError") == 0


async def test_it_says_so_while_telegram_cannot_be_reached(stage: Stage, process: Process) -> None:
    stage.api.fail("getMe", 502, "Bad Gateway")
    one = answering(stage, process, "one", stage.control)
    running = asyncio.create_task(one.run())
    await says(one, "cannot reach Telegram: Telegram has not answered yet")
    assert not (await one.check()).ready
    await says(one, "answers")
    stage.api.fail("getUpdates", 502, "Bad Gateway")
    # It ends the poll that is under way.
    asking = asyncio.create_task(stage.ask("/start", ANN))
    await says(one, "cannot reach Telegram: Telegram server says - Bad Gateway")
    await says(one, "answers")
    await asking
    running.cancel()
    await asyncio.wait({running})


async def test_it_says_at_start_whom_it_answers(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for chats, words in ((None, "everybody who finds it: ANALYTICBOT_BOT_CHATS"), ({ANN}, "its")):
        allowed = None if chats is None else frozenset(chats)
        stage.settings = msgspec.structs.replace(stage.settings, allowed_chats=allowed)
        async with stage.running():
            pass
        started = [record for record in caplog.records if record.message == "bot_started"]
        assert started[-1].__dict__["answers"].startswith(words)


async def test_it_stops_when_the_store_is_away_and_goes_on_when_it_is_back(
    stage: Stage, process: Process, tmp_path: Path
) -> None:
    away = False
    control = open_control(f"sqlite:///{tmp_path}/control.sqlite")
    renew, acquire = control.leases.renew, control.leases.acquire

    async def renewed(lease: Lease, ttl_ms: int) -> bool:
        if away:
            raise ControlUnavailable("the database is away")
        return await renew(lease, ttl_ms)

    async def acquired(name: str, holder: str, ttl_ms: int) -> Lease | None:
        if away:
            raise ControlUnavailable("the database is away")
        return await acquire(name, holder, ttl_ms)

    control.leases.renew = renewed  # type: ignore[method-assign]
    control.leases.acquire = acquired  # type: ignore[method-assign]
    one = answering(stage, process, "one", control)
    running = asyncio.create_task(one.run())
    await says(one, "answers")
    away = True
    await says(one, "cannot renew its lease: the database is away")
    assert not (await one.check()).ready
    async with asyncio.timeout(PATIENCE_S):
        while held(process):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not (await one.check()).ready
    away = False
    await says(one, "answers")
    await stage.ask("/start", ANN)
    running.cancel()
    await asyncio.wait({running})
    await control.close()


async def test_what_cannot_be_a_token_is_a_failure(stage: Stage, process: Process) -> None:
    with pytest.raises(Failure, match="BOT_TOKEN"):
        answer(process, stage.reader, stage.control, "no token", BotSettings())
