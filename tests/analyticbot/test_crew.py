"""The parts of a process: started in order, stopped in reverse."""

import asyncio

import pytest

from analyticbot.crew import Crew
from analyticbot.failure import Failure


async def _member(name: str, ended: list[str], started: asyncio.Event) -> None:
    started.set()
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(name)


async def test_members_stop_in_reverse_order() -> None:
    ended: list[str] = []
    stop = asyncio.Event()
    async with Crew() as crew:
        for name in ("log", "agents", "source"):
            started = asyncio.Event()
            crew.add(name, _member(name, ended, started))
            await started.wait()
        stop.set()
        await crew.watch(stop)
    assert ended == ["source", "agents", "log"]


async def test_a_member_that_fails_stops_the_crew_and_is_named() -> None:
    async def fails() -> None:
        raise OSError("the disk is full")

    ended: list[str] = []
    started = asyncio.Event()
    with pytest.raises(Failure, match="history stopped: the disk is full"):
        async with Crew() as crew:
            crew.add("log", _member("log", ended, started))
            await started.wait()
            crew.add("history", fails())
            await crew.watch(asyncio.Event())
    assert ended == ["log"]


async def test_a_member_that_ends_by_itself_is_a_failure() -> None:
    async def ends() -> None:
        return

    with pytest.raises(Failure, match="agents stopped: it ended by itself"):
        async with Crew() as crew:
            crew.add("agents", ends())
            await crew.watch(asyncio.Event())


async def test_a_member_that_does_not_stop_is_left_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    release = asyncio.Event()
    started = asyncio.Event()

    async def clings() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await release.wait()

    async with Crew(patience_s=0.01) as crew:
        crew.add("history", clings())
        await started.wait()
    release.set()
    assert [record.message for record in caplog.records] == ["member_does_not_stop"]


async def test_members_that_do_not_stop_do_not_add_up(caplog: pytest.LogCaptureFixture) -> None:
    release = asyncio.Event()

    async def clings(started: asyncio.Event) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await release.wait()

    loop = asyncio.get_running_loop()
    async with Crew(patience_s=60, stop_s=0.1) as crew:
        for _ in range(3):
            started = asyncio.Event()
            crew.add("history", clings(started))
            await started.wait()
        began_s = loop.time()
    assert loop.time() - began_s < 30
    release.set()
    assert [record.message for record in caplog.records] == ["member_does_not_stop"] * 3
