"""The laws of a log, on the embedded one."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import Settings
from streams.log import Log
from tests.laws.log import LogLaws
from tests.laws.member import MemberLaws

EAGER = Settings(upkeep_interval_ms=20, dirty_bytes=4_000, buffer_bytes=1 << 20)


class TestEmbeddedLog(LogLaws):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Callable[[], Awaitable[Log]]:
        async def open_log() -> Log:
            return await EmbeddedLog.open(tmp_path / "log", EAGER)

        return open_log


class TestEmbeddedLogWithoutTail(LogLaws):
    """The same with no room for the tail: everything is read from the database."""

    @pytest.fixture
    def opener(self, tmp_path: Path) -> Callable[[], Awaitable[Log]]:
        async def open_log() -> Log:
            settings = Settings(upkeep_interval_ms=20, dirty_bytes=4_000, tail_bytes=0, sync=False)
            return await EmbeddedLog.open(tmp_path / "log", settings)

        return open_log


class TestEmbeddedMember(MemberLaws):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Callable[[], Awaitable[Log]]:
        async def open_log() -> Log:
            return await EmbeddedLog.open(tmp_path / "log")

        return open_log
