"""What `make check` and `make audit` find in dependencies, and that ours have none of it."""

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.dependencies import (
    NOT_IMPORTED,
    ROOT,
    audited_python,
    declared,
    modules_in,
    unpinned,
    unused_or_undeclared,
)

DIGEST = "0" * 64


def test_ours_are_pinned_used_and_declared() -> None:
    assert list(unpinned(ROOT / "requirements")) == []
    assert list(unused_or_undeclared()) == []


def test_what_is_excused_is_still_a_dependency() -> None:
    project = (ROOT / "pyproject.toml").read_text().lower()
    assert all(f'"{name}' in project for name in NOT_IMPORTED)


@pytest.mark.parametrize(
    "line",
    [
        f"name==1.0 \\\n    --hash=sha256:{DIGEST}",
        f"name[extra]==1.0 ; sys_platform != 'win32' \\\n    --hash=sha256:{DIGEST}",
    ],
)
def test_a_version_with_a_hash_is_pinned(line: str, tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text(line + "\n")
    assert list(unpinned(tmp_path)) == []


@pytest.mark.parametrize(
    "line",
    ["name", "name==1.0", f"name>=1.0 \\\n    --hash=sha256:{DIGEST}", "--index-url https://x"],
)
def test_anything_else_is_not(line: str, tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text(line + "\n")
    [problem] = unpinned(tmp_path)
    assert problem.startswith(f"run.txt: {line.split()[0]} has no version and hash")


def test_names_and_imports_are_read_in_every_form() -> None:
    assert declared(["A_b[x]>=1,<2", "c.d==1; python_version > '3'", "e"]) == {"a-b", "c-d", "e"}
    text = """
import a.b, c
from d.e import f
from . import g
from opentelemetry import trace
importlib.import_module("h")
pytest.importorskip("i", reason="")
"""
    found = set(modules_in(ast.parse(text)))
    assert found == {"a.b", "c", "d.e", "opentelemetry.trace", "h", "i"}


def audit_of(answer: Any, folder: Path) -> list[str]:
    """As of a pip-audit that answers this."""
    program = folder / "python"
    program.write_text(f"#!{sys.executable}\nprint({json.dumps(answer)!r})\n")
    program.chmod(0o700)
    return list(audited_python(program, Path("run.txt")))


def test_a_known_weakness_is_named(tmp_path: Path) -> None:
    packages = [
        {"name": "safe", "version": "1", "vulns": []},
        {"name": "weak", "version": "2", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]},
    ]
    found = audit_of({"dependencies": packages}, tmp_path)
    assert found == ["run.txt: weak 2: CVE-1", "run.txt: weak 2: CVE-2"]


def test_where_no_database_is_reached_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skipped = {"name": "one", "skip_reason": "not found"}
    assert audit_of({"dependencies": [skipped]}, tmp_path) == []
    assert capsys.readouterr().out == "run.txt: 1 not audited: no database\n"
    assert audit_of("no such thing", tmp_path) == []
    assert "run.txt: not audited" in capsys.readouterr().out
