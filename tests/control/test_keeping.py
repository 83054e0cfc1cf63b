"""A lease that is kept while something is done under it, before a database that goes away."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from control.lease_keeper import CLOSING, Tenure
from control.leases import SqlLeases
from control.sql import SqlControl, open_control
from control.store import ControlUnavailable, Lease, LeaseLost
from streams.clock import uptime_s

TTL_S = 1.5
#: As long as a laptop sleeps, or a snapshot of a machine lies.
PAUSE_S = 600.0


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


class Machine:
    """A process that can stand still: its clock leaps, and the store's with it."""

    def __init__(self, folder: Path, away: Away) -> None:
        self._file = folder / "control.db"
        self._away = away
        self._leapt_s = 0.0

    def now_s(self) -> float:
        return uptime_s() + self._leapt_s

    async def tenure(self, ttl_s: float = TTL_S, *, alone: bool = False) -> Tenure:
        tenure = await Tenure.acquired(self._away, "bot", "one", ttl_s, self.now_s, alone=alone)
        assert tenure is not None
        return tenure

    def pause(self, for_s: float = PAUSE_S) -> None:
        with closing(sqlite3.connect(self._file)) as database, database:
            database.execute("UPDATE leases SET until_ms = until_ms - ?", (int(for_s * 1000),))
        self._leapt_s += for_s


@pytest.fixture
def machine(tmp_path: Path, away: Away) -> Machine:
    return Machine(tmp_path, away)


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
    with pytest.raises(LeaseLost, match="lease bot was lost"):
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


async def renewed(away: Away) -> None:
    """Wait until it is renewed once more."""
    before = away.renewed
    while away.renewed == before:
        away.tried.clear()
        await away.tried.wait()


async def test_after_a_long_pause_it_is_renewed_and_the_work_goes_on(
    away: Away, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work()
    tenure = await machine.tenure()
    running = asyncio.create_task(tenure.run(work.run(), not_overdue))
    await work.started.wait()
    for _ in range(3):
        machine.pause()
        assert await away.held("bot") == []
        await renewed(away)
        assert await away.held("bot") == [tenure.lease]
    assert work.ended_s is None
    said = [record.__dict__ for record in caplog.records]
    assert [(one["msg"], one["lease"]) for one in said] == [("lease_resumed", "bot")] * 3
    assert all(PAUSE_S - TTL_S < one["late_s"] <= PAUSE_S for one in said)
    running.cancel()
    await asyncio.wait({running})


async def test_after_a_pause_within_its_time_nothing_is_said(
    away: Away, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work()
    running = asyncio.create_task((await machine.tenure(20)).run(work.run(), not_overdue))
    await work.started.wait()
    machine.pause(15)
    await renewed(away)
    assert caplog.records == []
    assert work.ended_s is None
    running.cancel()
    await asyncio.wait({running})


@pytest.mark.parametrize("keeps_it", [True, False])
async def test_who_wakes_after_another_has_had_it_ends_the_work_at_once(
    away: Away, control: SqlControl, machine: Machine, *, keeps_it: bool
) -> None:
    work = Work()
    running = asyncio.create_task((await machine.tenure()).run(work.run(), not_overdue))
    await work.started.wait()
    machine.pause()
    other = await control.leases.acquire("bot", "two", 60_000)
    assert other is not None
    if not keeps_it:
        await control.leases.release(other)
    with pytest.raises(LeaseLost, match="lease bot was lost"):
        await running
    assert work.ended_s is not None
    assert await away.held("bot") == ([other] if keeps_it else [])


async def test_who_wakes_and_is_not_answered_ends_the_work_and_may_acquire_it_again(
    away: Away, machine: Machine
) -> None:
    work = Work()
    running = asyncio.create_task((await machine.tenure()).run(work.run(), not_overdue))
    await work.started.wait()
    away.instead = hang
    machine.pause()
    with pytest.raises(LeaseLost, match="could not be renewed: the control store does not answer"):
        await running
    assert work.ended_s is not None
    away.instead = None
    assert (await machine.tenure()).lease.fence == 2


@pytest.mark.parametrize("outage", [refuse, hang])
async def test_who_is_alone_gives_nothing_up(
    away: Away, machine: Machine, outage: Callable[[], Awaitable[None]]
) -> None:
    work = Work()
    tenure = await machine.tenure(alone=True)
    running = asyncio.create_task(tenure.run(work.run(), not_overdue))
    await work.started.wait()
    away.instead = outage
    machine.pause()
    while not tenure.trouble:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    # As often as it is tried.
    machine.pause()
    assert work.ended_s is None
    away.instead = None
    await renewed(away)
    assert work.ended_s is None
    assert await away.held("bot") == [tenure.lease]
    running.cancel()
    await asyncio.wait({running})
    assert await away.held("bot") == []


async def test_work_that_does_not_end_after_a_pause_is_told_where_another_has_it(
    control: SqlControl, machine: Machine
) -> None:
    told = asyncio.Event()
    ends = asyncio.Event()
    work = Work(ends)
    running = asyncio.create_task((await machine.tenure()).run(work.run(), lambda _: told.set()))
    await work.started.wait()
    machine.pause()
    assert await control.leases.acquire("bot", "two", 60_000)
    began_s = machine.now_s()
    await told.wait()
    assert machine.now_s() - began_s >= TTL_S * CLOSING
    ends.set()
    with pytest.raises(LeaseLost):
        await running


async def test_a_pause_while_its_work_ends_ends_nobody(away: Away, machine: Machine) -> None:
    ends = asyncio.Event()
    work = Work(ends)
    running = asyncio.create_task((await machine.tenure()).run(work.run(), not_overdue))
    await work.started.wait()
    running.cancel()
    machine.pause()
    await renewed(away)
    ends.set()
    await asyncio.wait({running})
    assert await away.held("bot") == []
