"""kill -9 at any point: nothing acknowledged is lost, and what Faust agents do is done once."""

import json
import random
from collections import Counter
from pathlib import Path

from streams.embedded.log import EmbeddedLog
from streams.log import Draft
from tests.laws.log import all_of, numbers
from tests.streams.embedded.child import INPUT, OUTPUT, PARTITIONS, SETTINGS
from tests.streams.embedded.children import child, lines

TOTAL = 3_000
KEYS = 20


async def test_what_was_acknowledged_is_there_after_kill_9(tmp_path: Path) -> None:
    chance = random.Random(9)
    acknowledged: dict[tuple[int, int], tuple[bytes, bytes]] = {}
    for _ in range(6):
        async with child("append", tmp_path / "log") as process:
            left = chance.randrange(20, 900)
            async for line in lines(process):
                number, offset, key, value = line.split()
                acknowledged[int(number), int(offset)] = key.encode(), value.encode()
                left -= 1
                if left == 0:
                    process.kill()
    log = await EmbeddedLog.open(tmp_path / "log")
    found = await all_of(log, INPUT)
    await log.close()
    for partition, records in found.items():
        assert [record.offset for record in records] == list(range(len(records)))
        for record in records:
            expected = acknowledged.pop((partition.number, record.offset), None)
            assert expected in (None, (record.key, record.value))
    assert acknowledged == {}


async def test_a_full_disk_stops_the_log_and_loses_nothing(tmp_path: Path) -> None:
    async with child("fill", tmp_path / "log") as process:
        said = [line async for line in lines(process)]
        assert await process.wait() == 0
    *acknowledged, full = said
    assert full.startswith("full: log in ")
    assert len(acknowledged) > 50
    log = await EmbeddedLog.open(tmp_path / "log")
    [records] = (await all_of(log, INPUT)).values()
    assert len(records) >= len(acknowledged)
    assert [record.offset for record in records] == list(range(len(records)))
    [(_, offset)] = await log.append([Draft("in", b"1", b"again", 1)])
    assert offset == len(records)
    await log.close()


async def feed(folder: Path) -> dict[str, int]:
    """TOTAL messages in, and what a run without faults counts."""
    log = await EmbeddedLog.open(folder, SETTINGS)
    await log.create(INPUT, PARTITIONS)
    await log.create(OUTPUT, PARTITIONS)
    keys = [b"%d" % (n * n % KEYS) for n in range(TOTAL)]
    await log.append([Draft("in", key, b"", n) for n, key in enumerate(keys)])
    await log.close()
    return dict(Counter(key.decode() for key in keys))


async def outputs(folder: Path) -> dict[str, list[int]]:
    log = await EmbeddedLog.open(folder, SETTINGS)
    found: dict[str, list[int]] = {}
    for records in (await all_of(log, OUTPUT)).values():
        for record, number in zip(records, numbers(records), strict=True):
            found.setdefault((record.key or b"").decode(), []).append(number)
    await log.close()
    return found


async def test_a_faust_app_killed_again_and_again_counts_as_one_that_was_not(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "log"
    truth = await feed(folder)
    chance = random.Random(20)
    for _ in range(4):
        async with child("work", folder, TOTAL) as process:
            left = chance.randrange(1, 20)
            async for line in lines(process):
                left -= 1
                if left == 0 or line.startswith("{"):
                    process.kill()
    async with child("work", folder, TOTAL) as process:
        *_, last = [line async for line in lines(process)]
        assert await process.wait() == 0
    assert json.loads(last) == truth
    assert await outputs(folder) == {key: [*range(1, n + 1)] for key, n in truth.items()}


async def test_a_message_whose_body_failed_is_processed_after_the_next_start(
    tmp_path: Path,
) -> None:
    at = 777
    folder = tmp_path / "log"
    truth = await feed(folder)
    async with child("fail", folder, at) as process:
        said = [line async for line in lines(process)]
    assert said == ["failed", "crashed: a body that fails half way"]
    log = await EmbeddedLog.open(folder, SETTINGS)
    assert sum((await log.committed("app")).values()) < at
    await log.close()
    async with child("work", folder, TOTAL) as process:
        *_, last = [line async for line in lines(process)]
    assert json.loads(last) == truth
    assert await outputs(folder) == {key: [*range(1, n + 1)] for key, n in truth.items()}
