"""A package is known wherever packages are listed: a new one is built, checked and listened to."""

from analyticbot.logs import OURS
from tests.packages import PACKAGES, PROJECT, ROOT
from tools.dependencies import DEVELOPMENT, PRODUCT


def test_every_package_is_built() -> None:
    there = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert there - {*DEVELOPMENT} == {*PACKAGES}
    shipped = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {f"/{name}" for name in PACKAGES} <= {*shipped}
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in PACKAGES} <= {*sent}


def test_every_package_is_checked() -> None:
    tools = PROJECT["tool"]
    assert {*tools["mypy"]["packages"]} == {*PACKAGES, "tests"}
    assert {*tools["importlinter"]["root_packages"]} == {*PACKAGES}
    assert {*tools["ruff"]["lint"]["isort"]["known-first-party"]} == {*PACKAGES, *DEVELOPMENT}
    assert {*PRODUCT} == {*PACKAGES}


def test_every_package_is_listened_to() -> None:
    assert {*OURS} == {*PACKAGES}
