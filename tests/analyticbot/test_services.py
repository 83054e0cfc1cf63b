"""The services of a process: started in order, stopped in reverse."""

import asyncio

import pytest

from analyticbot.failure import Failure
from analyticbot.services import Services


async def _service(name: str, ended: list[str], started: asyncio.Event) -> None:
    started.set()
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(name)


async def test_services_stop_in_reverse_order() -> None:
    ended: list[str] = []
    stop = asyncio.Event()
    async with Services() as services:
        for name in ("log", "agents", "source"):
            started = asyncio.Event()
            services.add(name, _service(name, ended, started))
            await started.wait()
        stop.set()
        await services.watch(stop)
    assert ended == ["source", "agents", "log"]


async def test_a_service_that_fails_stops_the_others_and_is_named() -> None:
    async def fails() -> None:
        raise OSError("the disk is full")

    ended: list[str] = []
    started = asyncio.Event()
    with pytest.raises(Failure, match="history stopped: the disk is full"):
        async with Services() as services:
            services.add("log", _service("log", ended, started))
            await started.wait()
            services.add("history", fails())
            await services.watch(asyncio.Event())
    assert ended == ["log"]


async def test_a_service_that_ends_by_itself_is_a_failure() -> None:
    async def ends() -> None:
        return

    with pytest.raises(Failure, match="agents stopped: it ended unexpectedly"):
        async with Services() as services:
            services.add("agents", ends())
            await services.watch(asyncio.Event())


async def test_a_service_that_does_not_stop_is_left_behind(
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

    async with Services(patience_s=0.01) as services:
        services.add("history", clings())
        await started.wait()
    release.set()
    assert [record.message for record in caplog.records] == ["service_does_not_stop"]


async def test_services_that_do_not_stop_do_not_add_up(caplog: pytest.LogCaptureFixture) -> None:
    release = asyncio.Event()

    async def clings(started: asyncio.Event) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await release.wait()

    loop = asyncio.get_running_loop()
    async with Services(patience_s=60, stop_s=0.1) as services:
        for _ in range(3):
            started = asyncio.Event()
            services.add("history", clings(started))
            await started.wait()
        began_s = loop.time()
    assert loop.time() - began_s < 30
    release.set()
    assert [record.message for record in caplog.records] == ["service_does_not_stop"] * 3
