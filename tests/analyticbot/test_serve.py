"""`analyticbot serve` on embedded state: to look at what is there while nobody else has it open."""

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="history in process needs the extra `embedded`")

from tests.analyticbot.command import COMMAND, environment, run
from tests.analyticbot.role import STOP_S, Role
from tests.patience import PATIENCE_S


def replayed(folder: Path) -> Path:
    """A data folder with one post in it."""
    recording = folder / "recording"
    recording.mkdir()
    (recording / "posts.jsonl").write_text(
        '{"channel": "somebody", "message_id": 1, "date": "2025-01-01T00:00:00Z", "text": "a"}\n'
    )
    data = folder / "data"
    assert run(data, "replay", str(recording)).returncode == 0
    return data


@pytest.mark.timeout(200)
async def test_it_shows_what_is_there_and_holds_it_meanwhile(tmp_path: Path) -> None:
    data = replayed(tmp_path)
    assert run(data, "follow", "@typoname").returncode == 0
    variables = environment(data, ANALYTICBOT_PORT="0")
    serve = await Role.started((COMMAND, "serve"), variables, tmp_path / "said")
    async with asyncio.timeout(PATIENCE_S):
        await serve.ready()
    listed = await serve.data("/api/v1/channels")
    assert [(one["username"], one["status"]) for one in listed][-1] == ("typoname", "pending")
    [post] = await serve.data("/api/v1/channels/somebody/posts?from=2025-01-01&to=2025-01-02")
    assert post["text"] == "a"
    assert (await serve.parts())[1] == {
        "log": "ok",
        "live": "ok",
        "history": "ok",
        "history_whole": "ok",
    }
    second = run(data, "serve", ANALYTICBOT_PORT="0")
    assert second.returncode == 1
    assert f"is in use by process {serve.process.pid}" in second.stderr
    assert second.stderr.count("\n") == 1
    assert await serve.stop() < STOP_S
    assert serve.process.returncode == 0
