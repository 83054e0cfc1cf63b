import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from streams.log import Log
from tests.api.reading import FixedReader
from tests.api.serving import Serving, open_log
from tests.attacks.knocking import Callers


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    log = await open_log(tmp_path / "log")
    yield log
    await log.close()


@pytest_asyncio.fixture
async def serving(log: Log) -> AsyncIterator[Serving]:
    async with Serving(log, FixedReader()) as serving:
        yield serving


@pytest_asyncio.fixture
async def callers() -> AsyncIterator[Callers]:
    callers = Callers()
    yield callers
    await callers.leave()


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def said() -> Iterator[list[logging.LogRecord]]:
    """Warnings as they come, but those of uvicorn, which `analyticbot` leaves out of its log.

    No attack is an error of ours, so there are none of those.
    """
    kept = _Kept()
    kept.addFilter(lambda record: record.levelno > logging.WARNING or record.name[:7] != "uvicorn")
    logging.getLogger().addHandler(kept)
    yield kept.records
    logging.getLogger().removeHandler(kept)
    assert not [record for record in kept.records if record.levelno >= logging.ERROR]
