"""Dependencies: each is pinned, used and declared; and, with `--audit`, not known to be unsafe.

`python -m tools.dependencies` needs the development environment. The audit asks the databases of
pip-audit and npm; where none can be reached it says "not audited" and goes on.
"""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import distribution, packages_distributions
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from tools.npm import output

ROOT = Path(__file__).parents[1]
PRODUCT = (
    "agents",
    "analyticbot",
    "api",
    "bot",
    "clickhouse",
    "collect",
    "control",
    "loopback",
    "streams",
    "tables",
)
DEVELOPMENT = ("bench", "tests", "tools")
#: Needed, though nothing imports them: by whom.
NOT_IMPORTED: Mapping[str, str] = {
    "websockets": "uvicorn's sockets",
    "asyncpg": "control.opening loads it where PostgreSQL is configured",
    "pytest-asyncio": "a plugin of pytest",
    "pytest-timeout": "a plugin of pytest",
    "pytest-xdist": "a plugin of pytest",
    "ruff": "a program of `make check`",
    "mypy": "a program of `make check`",
    "import-linter": "a program of `make check`",
    "types-pyyaml": "types for mypy",
}
#: Packages that several distributions fill.
NAMESPACES = ("opentelemetry",)
#: Each import as the names of distributions, one of which it needs.
Providers: TypeAlias = set[frozenset[str]]
_PIN = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,._-]+\])?==[^\s;\\]+", re.IGNORECASE)
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def main(arguments: Sequence[str]) -> int:
    wrong = [*unpinned(ROOT / "requirements"), *unused_or_undeclared()]
    if "--audit" in arguments:
        wrong += audited(ROOT / ".venv" / "audit" / "bin" / "python")
    for problem in wrong:
        print(problem)
    return 1 if wrong else 0


def unpinned(folder: Path) -> Iterator[str]:
    """Lines that name no exact version, or no hash of what is downloaded."""
    for path in sorted(folder.glob("*.txt")):
        for requirement in path.read_text().replace("\\\n", " ").splitlines():
            pinned = _PIN.match(requirement.strip())
            if requirement.strip() and not (pinned and _HASH.search(requirement)):
                name = requirement.split()[0]
                yield f"{path.name}: {name} has no version and hash: run `make requirements`"


def unused_or_undeclared() -> Iterator[str]:
    """What is declared and not imported; what is imported and declared nowhere."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras, groups = project["project"]["optional-dependencies"], project["dependency-groups"]
    run = declared([*project["project"]["dependencies"], *chain(*extras.values())])
    development = declared([*chain(*groups.values())])
    ours, theirs = imported(PRODUCT), imported(DEVELOPMENT)
    yield from _unused(run, ours)
    yield from _unused(declared(groups["dev"]), ours | theirs)
    yield from _undeclared(run, ours)
    yield from _undeclared(run | development, theirs)


def _unused(names: set[str], providers: Providers) -> Iterator[str]:
    for name in sorted(names.difference(*providers) - NOT_IMPORTED.keys()):
        yield f"{name}: nothing imports it: remove it from pyproject.toml"


def _undeclared(names: set[str], providers: Providers) -> Iterator[str]:
    for one in sorted(" or ".join(sorted(each)) for each in providers if not each & names):
        yield f"{one}: imported, and not declared: add it to pyproject.toml"


def declared(requirements: Iterable[str]) -> set[str]:
    """Names, as distributions normalise them."""
    return {_normal(re.split(r"[\[<>=!~; ]", one, maxsplit=1)[0]) for one in requirements}


def imported(packages: Sequence[str]) -> Providers:
    """For each module that the packages import: the distributions that may have given it."""
    paths = chain(*((ROOT / package).rglob("*.py") for package in packages))
    modules = set(chain(*(modules_in(ast.parse(path.read_text("utf-8"))) for path in paths)))
    known = packages_distributions()
    found = {frozenset(map(_normal, _providing(module, known))) for module in modules}
    return found - {frozenset(), frozenset({"analyticbot"})}


def modules_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                inside = (f"{module}.{name.name}" for name in names)
                yield from inside if module in NAMESPACES else (module,)
            case ast.Call(
                func=ast.Attribute(attr="import_module" | "importorskip"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                yield module


def _providing(module: str, known: Mapping[str, list[str]]) -> Collection[str]:
    """Of a namespace that several share: those whose files hold the module, and the one of its
    name, which brings them."""
    top = module.partition(".")[0]
    sharing = set(known.get(top, ()))
    path = module.replace(".", "/")
    holding = {one for one in sharing if _normal(one) == top or _has(one, path)}
    return holding or sharing


@cache
def _files(name: str) -> frozenset[str]:
    return frozenset(map(str, distribution(name).files or ()))


def _has(name: str, path: str) -> bool:
    return bool({f"{path}.py", f"{path}/__init__.py"} & _files(name))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def audited(python: Path) -> Iterator[str]:
    """Known weaknesses of what is pinned; says where it could not ask. `python` has pip-audit."""
    for name in ("run", "image", "build"):
        yield from audited_python(python, ROOT / "requirements" / f"{name}.txt")
    yield from _npm()


def audited_python(python: Path, requirements: Path) -> Iterator[str]:
    command = ["-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    done = subprocess.run(
        [python, *command, "--format=json", "--requirement", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        said = done.stderr.strip().splitlines() or ["pip-audit said nothing"]
        print(f"{requirements.name}: not audited: {said[-1]}")
        return
    asked = [one for one in packages if "skip_reason" not in one]
    if len(asked) < len(packages):
        reason = "no database" if not asked else "unknown to the database"
        print(f"{requirements.name}: {len(packages) - len(asked)} not audited: {reason}")
    for one in asked:
        for weakness in one["vulns"]:
            yield f"{requirements.name}: {one['name']} {one['version']}: {weakness['id']}"


def _npm() -> Iterator[str]:
    said = output(["audit", "--json"])
    try:
        found = json.loads(said)["vulnerabilities"]
    except (ValueError, KeyError):
        print("package-lock.json: not audited: no database")
        return
    for name, weakness in sorted(found.items()):
        yield f"package-lock.json: {name}: {weakness['severity']}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
