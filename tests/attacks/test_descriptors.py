"""More connections than the process may open files."""

import asyncio
import resource
import sys
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from analyticbot.descriptors import RESERVED, connections, raise_descriptors
from clickhouse.errors import asking, writing
from clickhouse.history import HistoryUnavailable
from loopback.telegram import LoopbackTelegram
from loopback.world.world import World
from streams.clock import SystemClock
from streams.ids import ChannelId
from tests.analyticbot.command import COMMAND, environment
from tests.analyticbot.role import STOP_S, Role
from tests.analyticbot.test_serve import replayed
from tests.analyticbot.test_up import command, logged_in
from tests.attacks.knocking import Callers, ask, request

#: Runs a command that may open no more than so many files, ever.
SCARCE = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh", COMMAND)


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(400, before[1]), before[1]))
        assert raise_descriptors() == min(before[1], 65_536)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(
    ("limit", "left"), [(64, 16), (256, 64), (1_024, 512), (4_096, 3_584), (65_536, 4_096)]
)
def test_others_keep_what_they_need(limit: int, left: int) -> None:
    assert connections(4_096, limit) == left
    assert left <= max(limit - RESERVED, limit // 4)


def test_history_is_away_while_there_is_no_file_left() -> None:
    """Whatever the engine was about to open: it is asked again later, and the process goes on."""
    said = "Code: 460. DB::ErrnoException: Cannot create timer_fd: errno: 24, Too many open files"
    for attempt in (writing, asking):
        with pytest.raises(HistoryUnavailable, match="Too many open files"), attempt("windows"):
            raise DatabaseError(said)


async def test_no_file_left_for_a_connection_closes_those_that_wait(callers: Callers) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.attacks.scarce_child", "20"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    port = int(await child.stdout.readline())
    for _ in range(60):
        await callers.connect(port)
    for _ in range(5):
        answer = await ask(port, request())
        assert answer is not None
        assert answer.status == 200
    await callers.leave()
    _, said = await child.communicate(b"")
    assert child.returncode == 0
    refusals = [line for line in said.decode().splitlines() if "clients_refused" in line]
    # One at once, and at its end one with the rest.
    assert len(refusals) == 2
    assert all("EMFILE" in line for line in refusals)


async def besieged(role: Role, callers: Callers, log: Path) -> None:
    """Idle connections by the hundreds: it goes on, and says so in a line."""
    port = int(role.url.rpartition(":")[2])
    for _ in range(400):
        await callers.connect(port)
    meanwhile = await ask(port, request())
    assert meanwhile is not None
    assert meanwhile.status == 200
    await callers.leave()
    await role.ready()
    assert role.process.returncode is None
    said = await asyncio.to_thread(log.read_text)
    assert said.count("clients_refused") == 1
    assert "Traceback" not in said


@pytest.mark.chaos
@pytest.mark.timeout(200)
async def test_demo_goes_on_under_idle_connections(tmp_path: Path, callers: Callers) -> None:
    pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")
    log = tmp_path / "said"
    arguments = (*SCARCE, "demo", "--port", "0")
    demo = await Role.started(arguments, environment(tmp_path / "data"), log)
    try:
        async with asyncio.timeout(150):
            await demo.ready()
            await besieged(demo, callers, log)
        assert await demo.stop() < STOP_S
        assert demo.process.returncode == 0
    finally:
        await demo.kill()


@pytest.mark.chaos
@pytest.mark.timeout(200)
async def test_serve_goes_on_under_idle_connections(tmp_path: Path, callers: Callers) -> None:
    pytest.importorskip("chdb", reason="history in process needs the extra `embedded`")
    data, log = replayed(tmp_path), tmp_path / "said"
    serve = await Role.started((*SCARCE, "serve"), environment(data, ANALYTICBOT_PORT="0"), log)
    try:
        async with asyncio.timeout(100):
            await serve.ready()
            await besieged(serve, callers, log)
        assert await serve.stop() < STOP_S
        assert serve.process.returncode == 0
    finally:
        await serve.kill()


@pytest.mark.timeout(200)
async def test_up_goes_on_under_idle_connections(tmp_path: Path, callers: Callers) -> None:
    """It has the most that could end for want of a file: Telegram, agents, history, the bot."""
    pytest.importorskip("chdb", reason="history in process needs the extra `embedded`")
    world = World(SystemClock())
    channel = world.add_channel(ChannelId(1_900_000_001), "somebody", "Somebody")
    world.post(channel, "before")
    data, log = tmp_path / "data", tmp_path / "said"
    async with LoopbackTelegram(world) as telegram:
        logged_in(telegram, data)
        await command(data, "follow", "@somebody")
        told = {"TELEGRAM_API_ID": "1", "TELEGRAM_API_HASH": "loopback", "ANALYTICBOT_PORT": "0"}
        up = await Role.started((*SCARCE, "up"), environment(data, **told), log)
        try:
            async with asyncio.timeout(150):
                await up.ready()
                await besieged(up, callers, log)
                world.post(channel, "after")
                posts = "/api/v1/channels/somebody/posts"
                while len(await up.data(posts) or ()) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            assert await up.stop() < STOP_S
        finally:
            await up.kill()
    assert up.process.returncode == 0
