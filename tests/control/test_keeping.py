"""A lease that is kept while something is done under it, before a database that goes away."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from control.keeping import Tenure
from control.leases import SqlLeases
from control.sql import SqlControl, open_control
from control.store import ControlUnavailable, Lease, LeaseLost

TTL_S = 1.5


class Away:
    """Leases of a database that can go away: it refuses, or it does not answer."""

    def __init__(self, leases: SqlLeases) -> None:
        self._leases = leases
        self.instead: Callable[[], Awaitable[None]] | None = None
        self.renewed = 0
        self.tried = asyncio.Event()

    async def acquire(self, name: str, holder: str, ttl_ms: int) -> Lease | None:
        return await self._leases.acquire(name, holder, ttl_ms)

    async def renew(self, lease: Lease, ttl_ms: int) -> bool:
        if self.instead:
            self.tried.set()
            await self.instead()
        done = await self._leases.renew(lease, ttl_ms)
        self.renewed += done
        self.tried.set()
        return done

    async def release(self, lease: Lease) -> None:
        await self._leases.release(lease)

    async def held(self, prefix: str) -> list[Lease]:
        return list(await self._leases.held(prefix))


class Work:
    """Goes on until it is cancelled, and takes its time to end."""

    def __init__(self, ends: asyncio.Event | None = None) -> None:
        self.started = asyncio.Event()
        self.ended_s: float | None = None
        self._ends = ends

    async def run(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            if self._ends:
                await self._ends.wait()
            self.ended_s = time.monotonic()


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[SqlControl]:
    control = open_control(f"sqlite:///{tmp_path}/control.db")
    await control.migrate()
    yield control
    await control.close()


@pytest.fixture
def away(control: SqlControl) -> Away:
    return Away(control.leases)


def not_overdue(reason: str) -> None:
    raise AssertionError(reason)


async def tenure_of(away: Away, ttl_s: float = TTL_S) -> Tenure:
    tenure = await Tenure.acquired(away, "bot", "one", ttl_s)
    assert tenure is not None
    return tenure


async def refuse() -> None:
    raise ControlUnavailable("the database is away")


async def hang() -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    # As a driver does that says goodbye to what does not answer.
    await asyncio.Event().wait()


async def test_it_is_renewed_for_longer_than_it_lasts(away: Away) -> None:
    work = Work()
    running = asyncio.create_task((await tenure_of(away)).run(work.run(), not_overdue))
    while away.renewed < 4:
        await away.tried.wait()
        away.tried.clear()
    assert [lease.holder for lease in await away.held("bot")] == ["one"]
    running.cancel()
    await asyncio.wait({running})
    assert work.ended_s is not None
    assert await away.held("bot") == []


@pytest.mark.parametrize("outage", [refuse, hang])
async def test_work_has_ended_before_another_can_have_the_lease(
    away: Away, control: SqlControl, outage: Callable[[], Awaitable[None]]
) -> None:
    work = Work()
    tenure = await tenure_of(away)
    away.instead = outage
    running = asyncio.create_task(tenure.run(work.run(), not_overdue))
    await away.tried.wait()
    while not (other := await control.leases.acquire("bot", "two", 60_000)):
        pass
    taken_s = time.monotonic()
    with pytest.raises(LeaseLost, match=r"could not be renewed: (the database is away|.*answer)"):
        await running
    assert work.ended_s is not None
    assert work.ended_s < taken_s
    assert await away.held("bot") == [other]


async def test_a_short_outage_is_outlasted(away: Away) -> None:
    work = Work()
    tenure = await tenure_of(away)
    away.instead = refuse
    running = asyncio.create_task(tenure.run(work.run(), not_overdue))
    await away.tried.wait()
    while not tenure.trouble:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert tenure.trouble == "the database is away"
    away.instead = None
    while not away.renewed:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert tenure.trouble == ""
    assert work.ended_s is None
    running.cancel()
    await asyncio.wait({running})


async def test_one_that_another_took_is_lost(away: Away, control: SqlControl) -> None:
    work = Work()
    tenure = await tenure_of(away)
    running = asyncio.create_task(tenure.run(work.run(), not_overdue))
    await work.started.wait()
    await control.leases.acquire("bot", "one", 60_000)
    with pytest.raises(LeaseLost, match="bot is held no longer"):
        await running
    assert work.ended_s is not None


async def test_it_is_renewed_while_its_work_ends(away: Away, control: SqlControl) -> None:
    ends = asyncio.Event()
    work = Work(ends)
    running = asyncio.create_task((await tenure_of(away)).run(work.run(), not_overdue))
    await work.started.wait()
    running.cancel()
    renewed = away.renewed
    while away.renewed < renewed + 3:
        await away.tried.wait()
        away.tried.clear()
    assert await control.leases.acquire("bot", "two", 60_000) is None
    ends.set()
    await asyncio.wait({running})
    assert await control.leases.acquire("bot", "two", 60_000) is not None


async def test_work_that_does_not_end_is_told_in_time(away: Away, control: SqlControl) -> None:
    told: list[str] = []
    ends = asyncio.Event()
    tenure = await tenure_of(away)
    away.instead = refuse
    lost = asyncio.create_task(tenure.run(Work(ends).run(), told.append))
    while not told:
        assert await control.leases.acquire("bot", "two", 60_000) is None
    assert told == ["bot: what was done under it did not end in time"]
    ends.set()
    with pytest.raises(LeaseLost):
        await lost


async def test_what_the_work_raises_is_raised_and_the_lease_is_free(away: Away) -> None:
    async def fails() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        await (await tenure_of(away)).run(fails(), not_overdue)
    assert await away.held("bot") == []


async def test_work_that_ends_by_itself_leaves_the_lease(away: Away) -> None:
    await (await tenure_of(away)).run(asyncio.sleep(0), not_overdue)
    assert await away.held("bot") == []


async def test_nobody_gets_what_another_holds(away: Away) -> None:
    await tenure_of(away, 60)
    assert await Tenure.acquired(away, "bot", "two", 60) is None
