"""A demo that stands still for ten minutes, really: the clocks of tests/control do not tell
everything about sockets, sessions and the engines of its stores.
"""

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from tests.analyticbot.command import COMMAND, environment
from tests.analyticbot.role import POLL_S, Role

PAUSE_S = 600


@pytest.mark.chaos
@pytest.mark.timeout(PAUSE_S + 280)
async def test_ten_minutes_under_ctrl_z(tmp_path: Path) -> None:
    said = tmp_path / "said"
    command = (COMMAND, "demo", "--port", "0")
    variables = environment(tmp_path / "data", TMPDIR=str(tmp_path))
    demo = await Role.started(command, variables, said)
    try:
        async with asyncio.timeout(PAUSE_S + 240):
            await demo.says("accounts", "observes 10 channels")
            before = await _sampled(demo)
            demo.freeze()
            await asyncio.sleep(PAUSE_S)
            demo.thaw()
            while min(await _sampled(demo)) <= max(before):  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
            await demo.says("accounts", "observes 10 channels")
            await demo.says("bot", "answers")
            await demo.ready()
            await demo.stop()
    finally:
        await demo.kill()
    assert demo.process.returncode == 0, said.read_text()
    assert "Traceback" not in said.read_text()


async def _sampled(demo: Role) -> list[str]:
    channels = await demo.data("/api/v1/channels")
    return [channel["last_sample_at"] or "" for channel in channels]
