"""What the page is built from, and that it is built only when that changed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

hatch_build: Any = pytest.importorskip("hatch_build", reason="hatchling is not installed")

ROOT = Path(__file__).parents[2]


class Hook(hatch_build.DashboardHook):  # type: ignore[misc]
    def __init__(self, root: Path) -> None:
        self._root = root
        self.warnings: list[str] = []

    @property
    def root(self) -> str:
        return str(self._root)

    @property
    def app(self) -> Any:
        return SimpleNamespace(display_warning=self.warnings.append)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dashboard" / "src").mkdir(parents=True)
    (tmp_path / "dashboard" / "src" / "app.css").write_text("a {}")
    (tmp_path / "api" / "static").mkdir(parents=True)
    monkeypatch.delenv(hatch_build.SKIP, raising=False)
    monkeypatch.setattr(hatch_build, "build", unreachable)
    return tmp_path


def unreachable(sources: Path) -> None:
    raise hatch_build.BuildFailed("npm ci ended with 1")


def test_the_lock_file_names_no_address() -> None:
    assert "http" not in (ROOT / "dashboard" / "package-lock.json").read_text()


def test_without_a_page_a_failed_build_is_an_error(checkout: Path) -> None:
    with pytest.raises(SystemExit, match="ANALYTICBOT_SKIP_WEB=1"):
        Hook(checkout).initialize("editable", {})


def test_an_earlier_page_is_kept_with_a_warning(checkout: Path) -> None:
    (checkout / "api" / "static" / "index.html").write_text("earlier")
    hook = Hook(checkout)
    hook.initialize("editable", {})
    assert "earlier build" in hook.warnings[0]
    assert not (checkout / "api" / "static" / ".build-id").exists()


def test_skips_when_told(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hatch_build.SKIP, "1")
    Hook(checkout).initialize("editable", {})


def test_skips_what_is_built(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builds: list[Path] = []
    monkeypatch.setattr(hatch_build, "build", builds.append)
    for _ in range(2):
        Hook(checkout).initialize("editable", {})
    assert len(builds) == 1


def test_a_renamed_or_changed_source_builds_again(checkout: Path) -> None:
    sources = checkout / "dashboard"
    first = hatch_build.digest(sources)
    (sources / "src" / "app.css").rename(sources / "src" / "page.css")
    renamed = hatch_build.digest(sources)
    (sources / "src" / "page.css").write_text("b {}")
    assert len({first, renamed, hatch_build.digest(sources)}) == 3


def test_what_npm_installs_is_no_source(checkout: Path) -> None:
    sources = checkout / "dashboard"
    before = hatch_build.digest(sources)
    (sources / "node_modules" / "svelte").mkdir(parents=True)
    (sources / "node_modules" / "svelte" / "index.js").write_text("")
    assert hatch_build.digest(sources) == before
