"""Retention by age, and what compaction keeps: start-up cost follows keys, not history."""

from pathlib import Path

import pytest

from streams.embedded import compaction, rows
from streams.embedded.engine import Entry, size_of_entries
from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import Settings
from streams.log import Draft, Log, Partition, Record
from streams.topics import Topic
from tests.laws.log import NOW_MS, all_of, numbers, until

EAGER = Settings(upkeep_interval_ms=10, dirty_bytes=2_000, tail_bytes=0)
IDLE = Settings(upkeep_interval_ms=10_000_000)
CHANGELOG = Topic("app-rows-changelog", retention_ms=None, compacted=True)
WEEK = Topic("t", retention_ms=7 * 86_400_000)
HERE = Partition("t", 0)


class SetClock:
    speed = 1.0

    def __init__(self) -> None:
        self.ms = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    async def sleep_ms(self, duration_ms: float) -> None:
        raise NotImplementedError


async def stored(log: Log, topic: str) -> list[Record]:
    return [r for records in (await all_of(log, Topic(topic))).values() for r in records]


async def test_retention_counts_from_when_a_record_was_appended(tmp_path: Path) -> None:
    clock = SetClock()
    log = await EmbeddedLog.open(tmp_path / "log", EAGER, clock)
    await log.create(WEEK, 1)
    last_year_ms = NOW_MS - 365 * 86_400_000
    await log.append([Draft("t", b"k", b"0", last_year_ms)])
    clock.ms += 4 * 86_400_000
    await log.append([Draft("t", b"k", b"1", last_year_ms)])
    clock.ms += 4 * 86_400_000

    async def trimmed() -> bool:
        return (await log.bounds("t"))[HERE].first == 1

    await until(trimmed)
    assert numbers(await log.read(HERE, 1, 10)) == [1]
    clock.ms += 40 * 86_400_000

    async def empty() -> bool:
        return (await log.bounds("t"))[HERE].first == 2

    await until(empty)
    await log.close()
    log = await EmbeddedLog.open(tmp_path / "log", EAGER, clock)
    assert await log.append([Draft("t", b"k", b"2", 0)]) == [(HERE, 2)]
    await log.close()


async def test_many_batches_go_at_once(tmp_path: Path) -> None:
    clock = SetClock()
    log = await EmbeddedLog.open(tmp_path / "log", EAGER, clock)
    await log.create(WEEK, 1)
    for n in range(700):
        await log.append([Draft("t", b"k", b"%d" % n, 0)])
    clock.ms += 8 * 86_400_000
    await log.append([Draft("t", b"k", b"700", 0)])

    async def trimmed() -> bool:
        return (await log.bounds("t"))[HERE].first == 700

    await until(trimmed)
    assert numbers(await log.read(HERE, 700, 10)) == [700]
    await log.close()


async def test_a_topics_retention_can_be_changed(tmp_path: Path) -> None:
    clock = SetClock()
    log = await EmbeddedLog.open(tmp_path / "log", EAGER, clock)
    await log.create(Topic("t", retention_ms=None), 1)
    await log.append([Draft("t", b"k", b"0", 0)])
    clock.ms += 8 * 86_400_000
    await log.create(WEEK, 1)

    async def trimmed() -> bool:
        return (await log.bounds("t"))[HERE].first == 1

    await until(trimmed)
    await log.close()


async def test_what_a_start_reads_grows_with_keys_not_with_history(tmp_path: Path) -> None:
    read = {}
    for updates in (50, 500):
        folder = tmp_path / str(updates)
        log = await EmbeddedLog.open(folder, Settings(upkeep_interval_ms=10, dirty_bytes=2_000))
        await log.create(CHANGELOG, 1)
        for n in range(updates):
            await log.append([Draft(CHANGELOG.name, b"%d" % k, b"%d" % n, n) for k in range(50)])

        async def few(log: Log = log) -> bool:
            return len(await stored(log, CHANGELOG.name)) <= 200

        await until(few)
        await log.close()
        log = await EmbeddedLog.open(folder, IDLE)
        records = await stored(log, CHANGELOG.name)
        read[updates] = len(records)
        newest = {record.key: record.value for record in records}
        assert newest == {b"%d" % k: b"%d" % (updates - 1) for k in range(50)}
        await log.close()
    assert read[500] <= 200


async def test_tombstones_of_a_changelog_go_but_never_the_last_record(tmp_path: Path) -> None:
    log = await EmbeddedLog.open(tmp_path / "log", EAGER)
    await log.create(CHANGELOG, 1)
    name = CHANGELOG.name
    for _ in range(5):
        for n in range(100):
            await log.append([Draft(name, b"%d" % n, b"x", n)])
        for n in range(100):
            await log.append([Draft(name, b"%d" % n, None, n)])

    async def gone() -> bool:
        return len(await stored(log, name)) < 250

    await until(gone)
    records = await stored(log, name)
    assert records[-1].offset == 999
    assert records[-1].value is None
    assert (await log.bounds(name))[Partition(name, 0)] == (0, 1_000)
    await log.close()


async def test_tombstones_of_other_topics_stay_for_a_while(tmp_path: Path) -> None:
    clock = SetClock()
    log = await EmbeddedLog.open(tmp_path / "log", EAGER, clock)
    topic = Topic("followed", retention_ms=None, compacted=True)
    await log.create(topic, 1)
    await log.append([Draft("followed", b"gone", b"x", 0)])
    await log.append([Draft("followed", b"gone", None, 0)])

    async def churn() -> None:
        for n in range(40):
            await log.append([Draft("followed", b"k", b"x" * 200, n)])

    async def compacted() -> bool:
        return len(await stored(log, "followed")) < 20

    await churn()
    await until(compacted)
    assert [r.value for r in await stored(log, "followed") if r.key == b"gone"] == [None]
    clock.ms += EAGER.tombstone_grace_ms + 1
    await churn()

    async def forgotten() -> bool:
        return b"gone" not in {r.key for r in await stored(log, "followed")}

    await until(forgotten)
    await log.close()


async def test_more_keys_than_fit_at_once_take_several_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "_KEYS_BYTES", 4_000)
    monkeypatch.setattr(compaction, "_STEP_BYTES", 500)
    log = await EmbeddedLog.open(tmp_path / "log", EAGER)
    await log.create(CHANGELOG, 1)
    name = CHANGELOG.name
    for n in range(10):
        for k in range(100):
            await log.append([Draft(name, b"%d" % k, b"%d" % n, 0)])

    async def compacted() -> bool:
        return len(await stored(log, name)) < 400

    await until(compacted)
    newest = {record.key: record.value for record in await stored(log, name)}
    assert newest == {b"%d" % k: b"9" for k in range(100)}
    await log.close()


async def test_records_without_a_key_stay(tmp_path: Path) -> None:
    log = await EmbeddedLog.open(tmp_path / "log", EAGER)
    await log.create(CHANGELOG, 1)
    engine = log._engine
    [state] = engine.topics[CHANGELOG.name].partitions
    for n in range(30):
        entries = [Entry(state, n, None, b"%d" % n, {}), Entry(state, n, b"k", b"x" * 200, {})]
        await engine.room.enter(size_of_entries(entries))
        await engine.submit(entries)[1]

    async def compacted() -> bool:
        return len(await stored(log, CHANGELOG.name)) < 45

    await until(compacted)
    without = [record for record in await stored(log, CHANGELOG.name) if record.key is None]
    assert numbers(without) == list(range(30))
    await log.close()


def test_records_of_a_version_without_the_time_have_that_of_their_batch() -> None:
    """An earlier version stored it per batch only; compaction may put such records with others."""
    key = rows.batch_key(0, 0, 2)
    without = [[1, NOW_MS, b"k", b"1", {}], [2, NOW_MS, b"k", b"2", {}, NOW_MS + 5]]
    row = rows.seal_batch(key, without, NOW_MS + 9)  # type: ignore[arg-type]
    read = rows.unseal_batch(key, row)
    assert [record.appended_ms for record in read] == [NOW_MS + 9, NOW_MS + 5]
    assert read[0] == Record(1, NOW_MS, b"k", b"1", {}, NOW_MS + 9)
