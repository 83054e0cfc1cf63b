from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from streams.log import Log
from tests.api.reading import FixedReader
from tests.api.serving import Serving, open_log


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    log = await open_log(tmp_path / "log")
    yield log
    await log.close()


@pytest_asyncio.fixture
async def serving(log: Log) -> AsyncIterator[Serving]:
    async with Serving(log, FixedReader()) as serving:
        yield serving
