from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.web.chromium import executable, started
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with started() as browser:
        yield browser
