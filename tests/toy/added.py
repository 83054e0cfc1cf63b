"""A copy of the tree with the toy decision in it: new files, and what is added to files there are.

Everything here is what a contributor writes by hand, and nothing else.
"""

import ast
import shutil
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEW = Path(__file__).parent / "new"
#: What runs and what it is built from.
COPIED = (
    *("agents", "analyticbot", "api", "bot", "clickhouse", "collect", "control", "loopback"),
    *("streams", "tables", "dashboard", "deploy", "docs", "tools", "tests"),
    *("pyproject.toml", "hatch_build.py", "README.md"),
)

_ROUTE = '''
class Peak(Answered, frozen=True):
    start_ms: Instant
    views_gained: int


@get("/channels/{channel:str}/peaks", tags=["channels"])
async def peaks(ports: Wired, channel: Reference, limit: Limit = 100) -> Answer[list[Peak]]:
    """Minutes in which a channel gained more views than ever before, the highest first."""
    asked = {"channel_id": await questions.channel_id(ports, channel), "limit": limit}
    rows = await ports.reader.ask("peaks", Peak, **asked)
    return Answer(list(rows), responses.meta(Evidence([], {})))


'''
_ROUTE_IMPORTS = """from clickhouse.reader import Answered, Evidence, Instant
"""


def with_toy(folder: Path) -> Path:
    """The copy."""
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", "static", "build", ".*")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        elif source.is_file():
            shutil.copy(source, folder / name)
    shutil.copytree(NEW, folder, dirs_exist_ok=True, ignore=ignored)
    for name, content in changed().items():
        (folder / name).write_text(content)
    return folder


def touched() -> list[str]:
    """Every file that is written or changed by hand."""
    new = [str(file.relative_to(NEW)) for file in NEW.rglob("*") if file.is_file()]
    return sorted([*(name for name in new if "__pycache__" not in name), *changed()])


def changed() -> Mapping[str, str]:
    """What is in the files that there are, once the decision is in them."""
    pipeline, channels = "agents/pipeline.py", "api/channels.py"
    listed = _appended((ROOT / pipeline).read_text(), "PIPELINE", "PEAKS")
    routed = _appended((ROOT / channels).read_text(), "ROUTES", "peaks")
    head, routes, tail = routed.partition("ROUTES: Final")
    return {
        pipeline: _imported(listed, "from agents.peaks.agent import PEAKS\n"),
        channels: _imported(head + _ROUTE.lstrip() + routes + tail, _ROUTE_IMPORTS),
    }


def _appended(source: str, name: str, element: str) -> str:
    """With one element more at the end of the list or tuple that is assigned to `name`."""
    [value] = (
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == name
    )
    assert isinstance(value, ast.List | ast.Tuple)
    lines = source.splitlines(keepends=True)
    last = value.elts[-1]
    assert last.end_lineno is not None
    line = lines[last.end_lineno - 1]
    lines[last.end_lineno - 1] = (
        f"{line[: last.end_col_offset]}, {element}{line[last.end_col_offset :]}"
    )
    return "".join(lines)


def _imported(source: str, lines: str) -> str:
    """With imports more, before the first that there is of the program itself."""
    at = source.index("\nfrom agents") if "\nfrom agents" in source else source.index("\nfrom api")
    return f"{source[: at + 1]}{lines}{source[at + 1 :]}"
