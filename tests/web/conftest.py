from collections.abc import Iterator

import pytest

from tests.web.chromium import executable
from tests.web.demo import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Who freezes or stops it leaves it running again."""
    executable()
    demo = Demo(tmp_path_factory.mktemp("demo") / "data")
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()
