import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from control.announcer import (
    KINDS,
    Change,
    SettingsAnnouncer,
    announce,
    announced_settings,
)
from control.sql import open_control
from control.store import ControlStore
from streams.broadcasts import SettingChanged
from streams.embedded.log import EmbeddedLog
from streams.log import Draft, Log, LogUnavailable
from streams.topics import CONTROL

NOW_MS = 1_750_000_000_000
PATIENCE_S = 20.0


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    log = await EmbeddedLog.open(tmp_path / "log")
    await log.create(CONTROL, 2)
    yield log
    await log.close()


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[ControlStore]:
    control = open_control(f"sqlite:///{tmp_path}/control.sqlite")
    await control.migrate()
    yield control
    await control.close()


async def taken(log: Log, count: int) -> Sequence[SettingChanged]:
    """The first that a new reader finds."""
    found: list[SettingChanged] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(announced_settings(log)) as changes:
        async for change in changes:
            found.append(change)
            if len(found) == count:
                break
    return found


async def test_settings_are_announced_once_a_version(log: Log, control: ControlStore) -> None:
    announcer = SettingsAnnouncer(control, log)
    one = await control.settings.put("spikes.least", None, 5, NOW_MS)
    await announcer.announce()
    await announcer.announce()
    two = await control.settings.put("spikes.least", None, None, NOW_MS + 1)
    await announcer.announce()
    # Another process, or this one after a restart, announces all of them again.
    await SettingsAnnouncer(control, log).announce()
    await announce(log, Change(kind="channels", at_ms=1))
    assert await taken(log, 3) == [one, two, two]


async def test_an_announcement_that_fails_is_repeated(log: Log, control: ControlStore) -> None:
    class Away:
        """The border to a log that is unavailable at first."""

        tries = 0

        async def append(self, drafts: Sequence[Draft]) -> Any:
            self.tries += 1
            if self.tries < 3:
                raise LogUnavailable("away")
            return await log.append(drafts)

    change = await control.settings.put("spikes.least", None, 5, NOW_MS)
    away: Any = Away()
    running = asyncio.create_task(SettingsAnnouncer(control, away).run(0.01))
    assert await taken(log, 1) == [change]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert away.tries == 3


async def test_what_a_newer_version_announced_is_skipped(log: Log, control: ControlStore) -> None:
    newer = {"kind": "setting", "v": 2, "name": "spikes.least", "value": [1]}
    await log.append(
        [Draft(CONTROL.name, b"setting/spikes.least/", msgspec.msgpack.encode(newer), 1)]
    )
    change = await control.settings.put("spikes.least", None, 5, NOW_MS)
    await SettingsAnnouncer(control, log).announce()
    assert await taken(log, 1) == [change]


async def test_a_change_is_in_the_log_under_its_kind(tmp_path: Path) -> None:
    log = await EmbeddedLog.open(tmp_path / "log")
    await log.create(CONTROL, 1)
    for at_ms in (1_000, 2_000):
        await announce(log, Change(kind="channels", at_ms=at_ms))
    (partition,) = await log.partitions(CONTROL.name)
    records = await log.read(partition, 0, 10)
    assert [record.key for record in records] == [b"channels", b"channels"]
    newest = msgspec.msgpack.decode(records[-1].value or b"", type=Change)
    assert newest == Change(kind="channels", at_ms=2_000)
    assert KINDS == ("channels",)
    await log.close()
