"""The form of the Dockerfile. No image is built here: that needs a Docker daemon."""

import json
import re

from analyticbot.cli import COMMANDS
from tests.deploy.compose import COMPOSE, ROOT


def instructions() -> list[tuple[str, str]]:
    """Instructions and their arguments; continued lines are one."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1].strip()) for line in lines]


def test_has_known_instructions_only() -> None:
    known = {
        "FROM", "RUN", "COPY", "ENV", "WORKDIR", "VOLUME", "USER", "EXPOSE", "STOPSIGNAL",
        "HEALTHCHECK", "ENTRYPOINT", "CMD",
    }  # fmt: skip
    assert {name for name, _ in instructions()} <= known


def test_stages() -> None:
    """Pinned bases, stages that exist, and a last one that builds nothing and is not root."""
    stages: list[str] = []
    for name, arguments in instructions():
        if name == "FROM":
            base, _, stage = arguments.partition(" AS ")
            assert base in stages or re.fullmatch(r"python:3\.1[123]-slim-[a-z]+", base)
            stages.append(stage)
        for source in re.findall(r"--from=(\S+)", arguments):
            assert source in stages
    last = instructions()[-[name for name, _ in instructions()][::-1].index("FROM") - 1 :]
    assert stages[-1] == "run"
    assert ("USER", "10001:10001") in last
    assert not any("pip" in arguments for name, arguments in last if name == "RUN")


def test_copies_what_is_there() -> None:
    for name, arguments in instructions():
        if name == "COPY" and "--from" not in arguments:
            for source in arguments.split()[:-1]:
                assert (ROOT / source).exists()


def test_installs_only_what_is_pinned_by_hash() -> None:
    runs = [part for name, line in instructions() if name == "RUN" for part in line.split("&&")]
    for install in (part for part in runs if re.search(r"pip (install|wheel)", part)):
        assert "--require-hashes" in install or "--no-deps" in install


def test_starts_the_program_itself() -> None:
    last = dict(instructions())
    assert json.loads(last["ENTRYPOINT"]) == ["analyticbot"]
    assert json.loads(last["CMD"])[0] in COMMANDS
    assert last["STOPSIGNAL"] == "SIGTERM"
    test = COMPOSE["x-analyticbot"]["healthcheck"]["test"][1:]
    assert json.loads(last["HEALTHCHECK"].partition("CMD ")[2]) == test


def test_the_builder_gets_every_package() -> None:
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if "!" in line
    }
    packages = {path.parent.name for path in ROOT.glob("*/py.typed")}
    needed = packages | {
        "dashboard",
        "hatch_build.py",
        "pyproject.toml",
        "requirements",
        "README.md",
    }
    assert needed <= allowed
    assert all((ROOT / name).exists() for name in allowed)
