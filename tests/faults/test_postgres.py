"""PostgreSQL stopped, and killed, under who needs it: they wait, hold no lease, and go on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import text

pytest.importorskip("asyncpg", reason="asyncpg is not installed (extra: cluster)")

import asyncpg  # type: ignore[import-not-found, import-untyped, unused-ignore]

from control.lease_keeper import Tenure
from control.sql import SqlControl, open_control
from control.store import ControlUnavailable, LeaseLost
from tests.control.postgres import How, Postgres, started
from tests.faults.waiting import until

NAME = "account/1"
#: Of a lease.
TTL_S = 3.0


@pytest.fixture
def server() -> Iterator[Postgres]:
    yield from started()


@pytest.fixture
async def control(server: Postgres) -> AsyncIterator[SqlControl]:
    control = open_control(await server.database())
    await control.migrate()
    yield control
    await control.close()


class Work:
    """What is done under a lease: it may be running at one holder at a time only."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.begun = 0

    async def run(self) -> None:
        self.begun += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.Event().wait()
        finally:
            self.running -= 1


async def collect(control: SqlControl, holder: str, work: Work) -> None:
    """As a role does it: again and again asks for the lease, and works while it has it."""
    while True:
        with suppress(ControlUnavailable, LeaseLost):
            tenure = await Tenure.acquired(control.leases, NAME, holder, TTL_S)
            if tenure is not None:
                await tenure.run(work.run(), pytest.fail)
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_what_it_knew_is_there_when_it_is_back(
    server: Postgres, control: SqlControl, how: How
) -> None:
    await control.follow("durov", 1)
    await asyncio.to_thread(server.stop, how)
    for _ in range(3):
        with pytest.raises(ControlUnavailable):
            await control.followed()
    await asyncio.to_thread(server.start)
    assert [each.reference for each in await control.followed()] == ["durov"]
    await control.follow("telegram", 2)
    assert len(await control.followed()) == 2


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_what_goes_away_in_the_middle_of_a_statement_is_away(
    server: Postgres, how: How
) -> None:
    url = await server.database()
    control, other = open_control(url), await asyncpg.connect(url)
    await control.migrate()
    await other.execute("BEGIN; LOCK TABLE leases")
    asking = asyncio.create_task(control.leases.held(""))
    while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
        pass
    await asyncio.to_thread(server.stop, how)
    with pytest.raises(ControlUnavailable):
        await asking
    other.terminate()
    await control.close()


@asynccontextmanager
async def without_end(port: int) -> AsyncIterator[int]:
    """A port that passes on all that the server says, but not that it closed: that comes late."""
    writers: list[asyncio.StreamWriter] = []

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, asks))
        await asyncio.gather(passed(reader, asks), passed(answers, writer))

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()
            await writer.wait_closed()


async def test_what_goes_away_between_two_statements_is_away(server: Postgres) -> None:
    url = await server.database()
    async with without_end(server.port) as port:
        control = open_control(url.replace(f":{server.port}/", f":{port}/"))
        with pytest.raises(ControlUnavailable):
            async with control._database.reading() as connection:
                await connection.execute(text("SELECT 1"))
                await asyncio.to_thread(server.stop)
                await connection.execute(text("SELECT 1"))
        await control.close()


async def test_work_under_a_lease_survives_a_restart_and_ends_when_it_is_away_longer(
    server: Postgres, control: SqlControl
) -> None:
    work = Work()
    holders = [asyncio.create_task(collect(control, name, work)) for name in ("one", "two")]
    try:
        await until(lambda: work.running == 1, 10, "one to begin")
        await asyncio.to_thread(server.stop, "immediate")
        await asyncio.to_thread(server.start)
        for _ in range(2):
            began = work.begun
            await asyncio.to_thread(server.stop, "immediate")
            await until(lambda: work.running == 0, 2 * TTL_S, "the work to end")
            await asyncio.to_thread(server.start)
            await until(lambda: work.running == 1, 4 * TTL_S, "the work to go on")
            assert work.begun > began
        assert work.most == 1
    finally:
        for holder in holders:
            holder.cancel()
        await asyncio.gather(*holders, return_exceptions=True)
