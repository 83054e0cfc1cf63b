"""A decision with table, kind of message, query, route and panel takes eight files by hand.

All else that has to know of it follows from those: history, live socket, taps, documents, types.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect
from websockets.asyncio.client import connect

from tests.analyticbot.command import environment
from tests.analyticbot.role import Role
from tests.toy.added import ROOT, touched, with_toy
from tests.web.chromium import browsing, executable, started

pytest.importorskip("chdb", reason="history in process needs the extra `embedded`")

MOST = 8
PATIENCE_S = 60
#: Views of one post, minute by minute: the peaks gain 7 and then 90.
VIEWS = (10, 17, 19, 109, 120, 125)
PEAK = {"start": "2025-01-01T10:03:00Z", "views_gained": 90}
#: Nothing is imported from the folder that the tests are run in.
PYTHON = (sys.executable, "-P")
COMMAND = (*PYTHON, "-m", "analyticbot.cli")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy, with what is generated written by the one command."""
    tree = with_toy(tmp_path_factory.mktemp("toy"))
    done = run(tree, *PYTHON, "-m", "tools.generated")
    assert done.returncode == 0, done.stderr
    return tree


@pytest.fixture(scope="module")
def data(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a replay has left: events in, peaks out."""
    folder = tmp_path_factory.mktemp("replayed")
    post = {"channel": "somebody", "message_id": 1, "date": "2025-01-01T10:00:00Z"}
    (folder / "posts.jsonl").write_text(json.dumps(post) + "\n")
    at = [f"2025-01-01T10:{minute:02}:30Z" for minute in range(len(VIEWS))]
    samples = [*zip(at, VIEWS, strict=True), ("2025-01-01T11:00:00Z", 130)]
    lines = (
        {"channel": "somebody", "message_id": 1, "sampled_at": when, "views": views}
        for when, views in samples
    )
    (folder / "view_samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run(tree, *COMMAND, "replay", str(folder), data=folder / "data")
    assert done.returncode == 0, done.stderr
    return folder / "data"


@pytest.fixture
async def served(tree: Path, data: Path, tmp_path: Path) -> AsyncIterator[Role]:
    role = await Role.started((*COMMAND, "serve"), variables(tree, data), tmp_path / "said")
    try:
        async with asyncio.timeout(PATIENCE_S):
            await role.ready()
        yield role
    finally:
        await role.stop()


def variables(tree: Path, data: Path) -> dict[str, str]:
    return environment(data, PYTHONPATH=str(tree), ANALYTICBOT_PORT="0")


def run(
    tree: Path, *command: str, data: Path = Path("/nowhere")
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=tree,
        env=variables(tree, data),
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_takes_eight_files_and_contributing_names_them() -> None:
    files = touched()
    assert len(files) <= MOST, files
    text = (ROOT / "CONTRIBUTING.md").read_text()
    section = text.partition("## A decision, from the event to the panel")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)
    assert sorted(name.replace("NAME", "peaks").replace("Name", "Peaks") for name in named) == files


def test_the_pipeline_and_the_types_know_it(tree: Path) -> None:
    shown = run(tree, *COMMAND, "topology").stdout
    paragraph = shown[shown.index("analytics.windows → peaks") :].partition("\n\n")[0]
    assert "tables: peaks" in paragraph
    assert "→ analytics.scores" in paragraph
    live = (tree / "dashboard/src/lib/live.gen.ts").read_text()
    assert "export type Declared = Peak;" in live
    assert "export interface Peak {" in (tree / "dashboard/src/lib/rest.gen.ts").read_text()


def test_the_laws_run_on_it(tree: Path) -> None:
    """Those of decisions, and those of kinds of message, without a line more."""
    command = (*PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "peaks or TestKinds")
    done = run(tree, *command, "tests/agents/test_decisions.py", "tests/clickhouse/test_kinds.py")
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


async def test_an_event_becomes_a_row_a_message_and_an_answer(served: Role) -> None:
    peaks = await served.data("/api/v1/channels/somebody/peaks")
    assert peaks[0] == PEAK
    assert [peak["views_gained"] for peak in peaks] == [90, 7]
    async with connect(f"{served.url.replace('http', 'ws')}/api/v1/live") as socket:
        [other] = json.loads(await socket.recv())["data"]["others"]
    message = other["message"]
    assert (message["kind"], message["views_gained"]) == ("peaks.peak", 90)
    assert await tapped(served.http) == [7, 90]
    document = (await served.http.get("/openapi.json")).json()
    assert "/api/v1/channels/{channel}/peaks" in document["paths"]
    assert "analyticbot.peaks.peak" in (await served.http.get("/asyncapi.json")).text


async def tapped(http: httpx.AsyncClient) -> list[int]:
    """What a tap says of the peaks, up to the highest."""
    query = "types=analyticbot.peaks.peak&since=2025-01-01T00:00:00Z"
    gained: list[int] = []
    async with (
        asyncio.timeout(PATIENCE_S),
        http.stream("GET", f"/api/v1/taps/stream?{query}") as stream,
    ):
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                gained.append(json.loads(line.removeprefix("data: "))["data"]["views_gained"])
            if gained and gained[-1] == PEAK["views_gained"]:
                break
    return gained


@pytest.fixture(scope="module")
def page(tree: Path) -> None:
    """The page of the copy: its types are checked, and it is built."""
    modules = ROOT / "dashboard" / "node_modules"
    if not modules.is_dir():
        pytest.skip("the page's packages are not installed")
    (tree / "dashboard" / "node_modules").symlink_to(modules)
    done = run(tree, *PYTHON, "-m", "tools.npm", "run", "build")
    assert done.returncode == 0, done.stdout


@pytest.mark.timeout(200)
async def test_the_built_page_shows_its_panel(page: None, served: Role) -> None:
    executable()
    async with started() as browser, browsing(browser) as seen:
        await seen.page.goto(f"{served.url}/channels/somebody")
        panel = seen.page.locator("[data-peaks]")
        await expect(panel).to_contain_text("+90 views at")
        await expect(panel).to_contain_text("Newest: +90")
        assert not seen.errors
