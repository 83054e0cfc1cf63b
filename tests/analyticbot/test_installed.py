"""Decisions of installed packages: the documented example run by real commands, and refusals."""

import ast
import asyncio
import json
import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect

from agents.engine.decision import Decision
from agents.engine.ports import Table
from agents.pipeline import PIPELINE
from analyticbot import decisions as contract
from analyticbot.config import ConfigError
from analyticbot.installed import GROUP, decisions, own
from streams.analytics import ActivityWindow, PostAge
from streams.events import PostsSeen
from streams.kind import Kept, KeptWhole, Kind, NotShown
from streams.kinds import KINDS
from streams.topics import CONTROL, SCORES, WINDOWS, Topic
from tests.analyticbot.command import COMMAND, environment, run
from tests.analyticbot.role import Role
from tests.api.serving import PATIENCE_S

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "records"
#: Views of one post, minute by minute: the best minutes gain 7 and then 90.
VIEWS = (10, 17, 19, 109, 120, 125)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example is installed, as `pip install` does it, without a network."""
    if find_spec("hatchling") is None:
        pytest.skip("the example is built with hatchling, which is not installed")
    site = tmp_path_factory.mktemp("site")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--target", str(site))
    # A build leaves files beside what it builds.
    source = tmp_path_factory.mktemp("source") / "records"
    subprocess.run(["cp", "-r", str(EXAMPLE), str(source)], check=True)
    subprocess.run([*pip, *offline, str(source)], check=True)
    return site


def with_site(site: Path, **variables: str) -> dict[str, Any]:
    return {"PYTHONPATH": str(site), "ANALYTICBOT_PORT": "0", **variables}


def recording(folder: Path) -> Path:
    """Six minutes of one post, and a sample much later, which closes them."""
    folder.mkdir()
    post = {"channel": "somebody", "message_id": 1, "date": "2025-01-01T10:00:00Z", "text": "a"}
    (folder / "posts.jsonl").write_text(json.dumps(post) + "\n")
    at = [f"2025-01-01T10:{minute:02}:30Z" for minute in range(len(VIEWS))]
    samples = [*zip(at, VIEWS, strict=True), ("2025-01-01T11:00:00Z", 130)]
    lines = (
        {"channel": "somebody", "message_id": 1, "sampled_at": when, "views": views}
        for when, views in samples
    )
    (folder / "view_samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.mark.timeout(200)
async def test_an_installed_decision_runs_end_to_end(site: Path, tmp_path: Path) -> None:
    pytest.importorskip("chdb", reason="history in process needs the extra `embedded`")
    data, variables = tmp_path / "data", with_site(site)
    replayed = run(data, "replay", str(recording(tmp_path / "recording")), **variables)
    assert replayed.returncode == 0, replayed.stderr
    serve = await Role.started(
        (COMMAND, "serve"), environment(data, **variables), tmp_path / "said"
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            await serve.ready()
        # History, by REST.
        [told] = await serve.data("/api/v1/channels/somebody/decided/records.record")
        message = told["message"]
        assert told["observed_at"] == "2025-01-01T10:03:30Z"
        assert (message["kind"], message["views_gained"]) == ("records.record", 90)
        missing = await serve.http.get("/api/v1/channels/somebody/decided/nothing")
        assert missing.json()["detail"].endswith("known: records.record")
        # Live.
        async with connect(f"{serve.url.replace('http', 'ws')}/api/v1/live") as socket:
            [other] = json.loads(await socket.recv())["data"]["others"]
        assert (other["key"], other["message"]) == (told["key"], message)
        # Taps: every record, and each once.
        query = "types=analyticbot.records.record&since=2025-01-01T00:00:00Z"
        gained: list[int] = []
        async with serve.http.stream("GET", f"/api/v1/taps/stream?{query}") as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    gained.append(json.loads(line.removeprefix("data: "))["data"]["views_gained"])
                if gained and gained[-1] == 90:
                    break
        assert gained == [7, 90]
        described = (await serve.http.get("/asyncapi.json")).text
        assert "analyticbot.records.record" in described
    finally:
        await serve.stop()


def test_commands_say_which_package_a_decision_is_from(site: Path, tmp_path: Path) -> None:
    shown = run(tmp_path, "topology", **with_site(site)).stdout
    paragraph = shown[shown.index("analytics.windows → records") :]
    said = "from: analyticbot-records 1.0.0, analyticbot_records.agent:RECORDS"
    assert said in paragraph.partition("\n\n")[0]
    assert "analytics.windows + analytics.alerts + analytics.records → history" in paragraph
    left_out = run(tmp_path, "topology", **with_site(site, ANALYTICBOT_WITHOUT="records")).stdout
    assert "→ records" not in left_out
    assert "left out: records" in left_out
    examined = run(tmp_path, "doctor", **with_site(site)).stdout
    assert "✓ decision records: analyticbot-records 1.0.0, analyticbot_records.agent" in examined


def test_the_laws_of_decisions_hold_for_the_example(site: Path, tmp_path: Path) -> None:
    """As its author runs them: the example's own tests, with the repository on the path."""
    path = os.pathsep.join((str(site), str(ROOT)))
    # Not in the repository's own folder, whose settings are not the example's.
    tests = tmp_path / "test_records.py"
    tests.write_text((EXAMPLE / "tests" / "test_records.py").read_text())
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-o", "asyncio_mode=auto", str(tests)),
        ],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "AnalyticBot's repository is needed" not in done.stdout


def test_the_example_imports_the_contract_and_nothing_else() -> None:
    imported = {
        node.module
        for file in (EXAMPLE / "analyticbot_records").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    own = {name for name in imported if name and name.startswith("analyticbot_records.")}
    assert imported - own == {"collections.abc", "analyticbot.decisions"}


def test_the_contract_says_what_each_of_its_names_is() -> None:
    rows = re.findall(r"^\| ([\w, ]+) \|", contract.__doc__ or "", re.MULTILINE)
    named = {name for row in rows[1:] for name in row.split(", ")}
    assert named == set(contract.__all__)
    assert all(hasattr(contract, name) for name in named)


# -- What is refused. The entry points refer to what stands below.

[_SPIKES] = [decision for decision in PIPELINE if decision.name == "spikes"]


def changed(**fields: object) -> Decision:
    """A decision that is in order, but for what is changed."""
    fine = {"name": "own", "tables": (Table("own", _SPIKES.tables[0].row),)}
    return msgspec.structs.replace(_SPIKES, **{**fine, **fields})


def kind(**fields: object) -> Kind[PostAge]:
    """A kind of message of its own."""
    struct = type("Own", (PostAge,), {}, tag="own")
    declared = Kind(
        struct=struct,
        topic=SCORES,
        upsert_key=str,
        event_type="own",
        history=KeptWhole(version=int),
        live=NotShown("a test"),
    )
    return msgspec.structs.replace(declared, **fields)


def declaring(**fields: object) -> Decision:
    return changed(sends=(SCORES,), declares=(kind(**fields),))


FINE = changed()
FINE_WITH_A_KIND = declaring()
NO_DECISION = 7
OTHER_NAME = changed(name="another")
SPIKES_AGAIN = changed(name="spikes")
TABLE_OF_SPIKES = changed(tables=_SPIKES.tables)
NO_ROW = changed(tables=(Table("own", dict),))  # type: ignore[arg-type]
UNREAD = changed(reads=(CONTROL,))
NO_KINDS = changed(kinds=())
STRANGE_KIND = changed(kinds=(PostsSeen,))
OTHER_RETENTION = changed(sends=(Topic(WINDOWS.name, compacted=True),))
NOT_SENT = changed(declares=(kind(),))
OWN_TABLE = declaring(history=Kept("alerts", {}, int))
AS_POSTS = declaring(live="posts")
DOUBLED_KIND = declaring(struct=ActivityWindow)
DOUBLED_TYPE = declaring(event_type="analyticbot.alert")


def point(name: str, refers_to: str) -> EntryPoint:
    return EntryPoint(name, refers_to, GROUP)


@pytest.mark.parametrize("fine", ["FINE", "FINE_WITH_A_KIND"])
def test_what_is_in_order_is_taken_after_the_program_s_own(fine: str) -> None:
    known = decisions(points=[point("own", f"{__name__}:{fine}")])
    assert [decision.name for decision in known.pipeline] == ["updates", "spikes", "own"]
    assert list(known.kinds) == [*KINDS, *known.pipeline[-1].declares]
    assert known.topics == own().topics


@pytest.mark.parametrize(
    ("refers_to", "why"),
    [
        ("no_such_module:DECISION", "cannot be loaded: ModuleNotFoundError: No module named"),
        (f"{__name__}:MISSING", "cannot be loaded: AttributeError"),
        (f"{__name__}:NO_DECISION", "refers to a int, and must refer to a Decision"),
        (f"{__name__}:OTHER_NAME", "is named 'another', which must be the entry point's name"),
        (f"{__name__}:TABLE_OF_SPIKES", "tables of two decisions: spikes"),
        (f"{__name__}:NO_ROW", "table own: its row must be a subclass of Row"),
        (f"{__name__}:UNREAD", "own reads control.changes, which has no reader"),
        (f"{__name__}:NO_KINDS", "own takes no kind of message"),
        (f"{__name__}:STRANGE_KIND", "own takes PostsSeen, which analytics.windows does not carry"),
        (f"{__name__}:OTHER_RETENTION", "declares topic analytics.windows, which there is, in"),
        (f"{__name__}:NOT_SENT", "own declares own, which is sent to analytics.scores, and does"),
        (f"{__name__}:OWN_TABLE", "kind own: history must be KeptWhole or NotKept"),
        (f"{__name__}:AS_POSTS", "kind own: live cannot be 'posts'"),
        (f"{__name__}:DOUBLED_KIND", "struct ActivityWindow is declared twice"),
        (f"{__name__}:DOUBLED_TYPE", "event_type analyticbot.alert is declared twice"),
    ],
)
def test_what_contradicts_is_refused_in_one_line(refers_to: str, why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        decisions(points=[point("own", refers_to)])
    said = str(refused.value)
    assert said.startswith(f"decision own of package unknown ({refers_to}): {why}")
    assert said.endswith("leave it out with ANALYTICBOT_WITHOUT=own")
    assert "\n" not in said


def test_two_packages_with_one_name_are_refused() -> None:
    points = [point("own", f"{__name__}:FINE"), point("own", f"{__name__}:FINE_WITH_A_KIND")]
    with pytest.raises(ConfigError, match="unknown has one of that name"):
        decisions(points=points)
    with pytest.raises(ConfigError, match="AnalyticBot itself has one of that name"):
        decisions(points=[point("spikes", f"{__name__}:SPIKES_AGAIN")])


def test_what_is_left_out_is_not_imported() -> None:
    broken = [point("own", "no_such_module:DECISION")]
    known = decisions(["own"], broken)
    assert known.pipeline == PIPELINE
    assert known.without == ("own",)


def test_leaving_out_what_is_not_installed_is_refused() -> None:
    points = [point("own", f"{__name__}:FINE")]
    with pytest.raises(ConfigError, match=r"ANALYTICBOT_WITHOUT: owm is not .* installed are own"):
        decisions(["owm"], points)
    with pytest.raises(ConfigError, match=r"own is not .*; no package adds any"):
        decisions(["own"], [])


def test_a_broken_package_ends_a_command_before_it_opens_anything(tmp_path: Path) -> None:
    site = tmp_path / "site"
    info = site / "broken-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nown = broken:OWN\n")
    (site / "broken.py").write_text("raise RuntimeError('two\\nlines')\n")
    data = tmp_path / "data"
    done = run(data, "migrate", **with_site(site))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "decision own of package broken 2.0 (broken:OWN): cannot be loaded" in done.stderr
    assert not (data / "log").exists()
    examined = run(data, "doctor", **with_site(site))
    assert examined.returncode == 1
    assert "✗ decisions: decision own of package broken 2.0" in examined.stdout
    assert run(data, "migrate", **with_site(site, ANALYTICBOT_WITHOUT="own")).returncode == 0
