from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.chromium import executable
from tests.web.demo import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One that is only looked at."""
    executable()
    yield from _running(tmp_path_factory.mktemp("demo") / "data")


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Demo]:
    """One that the test may freeze and stop."""
    executable()
    yield from _running(tmp_path / "data")


def _running(data: Path) -> Iterator[Demo]:
    demo = Demo(data)
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()
