"""Settings on their way into the log: every task of this process gets what it has not seen."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from agents.engine.settings_feed import SettingsFeed
from agents.pipeline import INPUTS, PIPELINE
from agents.spikes.rule import LEAST
from control.announcer import SettingsAnnouncer, announced_settings
from control.sql import open_control
from streams.broadcasts import SettingChanged
from streams.codec import Selection
from streams.events import SubscribersSampled
from streams.ids import ChannelId
from streams.log import Log
from streams.topics import UPDATES, WINDOWS
from tests.agents.in_memory import InMemory
from tests.agents.test_timers_kept import of_topic
from tests.agents.working import PARTITIONS, PATIENCE_S, append, drafts_of, opened, working
from tests.streams.sources.manual_clock import ManualClock

T = 1_760_000_040_000


def changed(value: int | None, version: int, channel: int | None = None) -> SettingChanged:
    channel_id = None if channel is None else ChannelId(channel)
    return SettingChanged(
        at_ms=T, name=LEAST.name, channel_id=channel_id, value=value, version=version
    )


class Feeding:
    def __init__(self) -> None:
        self.run = InMemory(PIPELINE, INPUTS, ManualClock(2**41))
        self.feed = self.opened()

    def opened(self) -> SettingsFeed:
        return SettingsFeed(
            self.run.tasks, [*self.run.wired.settings.values()], self.run.wired.roots
        )

    @property
    def appended(self) -> int:
        return len(self.run.topics[UPDATES.name])


def test_a_change_is_appended_once_and_a_lower_version_never() -> None:
    on = Feeding()
    on.feed.learn(changed(5, 2))
    on.feed.spread()
    on.feed.spread()
    assert on.appended == 1
    on.run.run()
    on.feed.learn(changed(4, 1))
    on.feed.spread()
    # Another process takes the task over: its tables say what was seen.
    after = on.opened()
    for change in (changed(4, 1), changed(5, 2)):
        after.learn(change)
    after.spread()
    assert on.appended == 1
    after.learn(changed(None, 3))
    after.learn(changed(6, 1, channel=7))
    after.spread()
    assert on.appended == 3


def test_what_was_under_way_when_tasks_moved_is_appended_again() -> None:
    on = Feeding()
    on.feed.learn(changed(5, 2))
    on.feed.spread()
    on.feed.forget()
    on.feed.spread()
    assert on.appended == 2


def test_an_input_that_has_not_seen_it_gets_it() -> None:
    """A decision on another topic was added: the table has rows of the inputs before it."""
    on = Feeding()
    on.feed.learn(changed(5, 2))
    on.feed.spread()
    on.run.run_topic(UPDATES.name)
    tables = on.run.tables["settings"]
    on.run.topics[WINDOWS.name].clear()
    on.run.restart()
    assert list(tables) == [b"0/updates/spikes.least/"]
    after = on.opened()
    after.learn(changed(5, 2))
    after.spread()
    on.run.run()
    assert len(tables) == 2
    assert on.appended == 2


async def changes_of(*changes: SettingChanged) -> AsyncGenerator[SettingChanged, None]:
    for change in changes:
        yield change
    await asyncio.Event().wait()


async def test_every_partition_gets_it_and_none_gets_it_twice(tmp_path: Path) -> None:
    change = changed(5, 2)
    for _ in range(2):
        async with working(tmp_path, changes=lambda: changes_of(change)) as work:
            await held(work.app, count=2 * PARTITIONS)
            event = SubscribersSampled(channel_id=ChannelId(7), observed_at_ms=T, subscribers=5)
            await append(work.log, drafts_of([event]))
            await work.settled()
            for topic in (UPDATES.name, WINDOWS.name):
                assert await broadcasts_in(work.log, topic) == [[change]] * PARTITIONS


async def test_what_an_operator_sets_reaches_every_partition_while_workers_run(
    tmp_path: Path,
) -> None:
    control = open_control(f"sqlite:///{tmp_path}/control.sqlite")
    await control.migrate()
    log = await opened(tmp_path / "log")
    announcing = asyncio.create_task(SettingsAnnouncer(control, log).run(0.05))
    async with working(tmp_path / "log", changes=lambda: announced_settings(log)) as work:
        first = await control.settings.put(LEAST.name, None, 50, T)
        await held(work.app, count=2 * PARTITIONS)
        second = await control.settings.put(LEAST.name, ChannelId(7), 5, T)
        await held(work.app, count=4 * PARTITIONS)
        assert await broadcasts_in(log, WINDOWS.name) == [[first, second]] * PARTITIONS
    announcing.cancel()
    await asyncio.gather(announcing, return_exceptions=True)
    await log.close()
    await control.close()


async def held(app: Any, count: int) -> None:
    """Returns when the table of settings has so many rows."""
    async with asyncio.timeout(PATIENCE_S):
        while len(app.tables["settings"].data) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def broadcasts_in(log: Log, topic: str) -> list[list[SettingChanged]]:
    """Of each partition."""
    decode = Selection[SettingChanged](SettingChanged).decode
    found = []
    for partition in await log.partitions(topic):
        records = await of_topic(log, topic, partition.number)
        values = [record.value or b"" for record in records if record.key is None]
        found.append([change for value in values if (change := decode(value)) is not None])
    return found
