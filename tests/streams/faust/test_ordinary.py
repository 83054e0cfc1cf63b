"""The same ordinary agent on both logs, killed again and again: each order counts once."""

import json
import random
import signal
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from streams.log import Draft, Log, LogError, Partition, Record
from streams.opening import open_log
from streams.topics import Topic
from tests.kafka.fixtures import unique
from tests.laws.log import all_of, until
from tests.streams.faust.ordinary import (
    PARTITIONS,
    Names,
    Order,
    app_on,
    made,
    run_victim,
    running,
)

ORDERS = 400
KILLS = 4


@pytest.fixture(params=["embedded", "kafka"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "kafka":
        return str(request.getfixturevalue("kafka").url)
    return f"embedded://{tmp_path}/log"


@pytest.fixture
def names() -> Names:
    return Names(unique("ordinary"))


@pytest.fixture
def orders() -> list[tuple[str, int]]:
    chance = random.Random(4)
    return [(f"customer {chance.randrange(20)}", chance.randrange(1, 100)) for _ in range(ORDERS)]


async def test_kills_leave_table_and_outputs_as_without_faults(
    url: str, tmp_path: Path, names: Names, orders: list[tuple[str, int]]
) -> None:
    log = await open_log(url)
    await _make_topics(log, names)
    await log.append(_drafts(names, orders))
    await log.close()
    chance = random.Random(4)
    for _ in range(KILLS):
        code = run_victim(url, tmp_path, names, chance.randint(1, ORDERS // KILLS))
        assert code == -signal.SIGKILL
    log = await open_log(url)
    async with running(made(url, tmp_path, names)) as app:
        await until(lambda: _processed(log, names, ORDERS))
        table: Any = app.tables["rows"]
        assert dict(table.items()) == _sums(orders)
    await _check(log, names, orders)
    await log.close()


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (
            {"store": "memory://here"},
            "table rows: its store memory://here is not in the transactions",
        ),
        ({"is_global": True}, "table rows: a GlobalTable is not supported on Kafka; use Table"),
    ],
)
async def test_a_table_that_cannot_be_kept_is_refused_at_the_start(
    tmp_path: Path, names: Names, table: dict[str, Any], reason: str
) -> None:
    app = app_on("kafka://127.0.0.1:1", tmp_path, names.app)
    app.Table("rows", partitions=PARTITIONS, **table)
    with pytest.raises(LogError, match=reason):
        await app.consumer.on_start()


async def _make_topics(log: Log, names: Names) -> None:
    for topic in (names.orders, names.totals):
        await log.create(Topic(topic), PARTITIONS)


def _drafts(names: Names, orders: list[tuple[str, int]]) -> list[Draft]:
    return [
        Draft(names.orders, key.encode(), Order(key, amount).dumps(), number, {})
        for number, (key, amount) in enumerate(orders)
    ]


def _sums(orders: list[tuple[str, int]]) -> dict[str, int]:
    sums: defaultdict[str, int] = defaultdict(int)
    for key, amount in orders:
        sums[key] += amount
    return sums


async def _check(log: Log, names: Names, orders: list[tuple[str, int]]) -> None:
    assert await _in_changelog(log, names) == _sums(orders)
    assert await _sent(log, names) == _totals(await all_of(log, Topic(names.orders)))


async def _processed(log: Log, names: Names, orders: int) -> bool:
    return sum((await log.committed(names.app)).values()) >= orders


async def _in_changelog(log: Log, names: Names) -> Mapping[str, int]:
    """The newest of each row."""
    return {
        json.loads(record.key or b""): json.loads(record.value or b"")
        for records in (await all_of(log, Topic(names.changelog))).values()
        for record in records
    }


async def _sent(log: Log, names: Names) -> dict[int, list[tuple[str, int]]]:
    """What lies in each partition of the totals: a message that was sent twice is here twice."""
    found = {}
    for partition, records in (await all_of(log, Topic(names.totals))).items():
        values = [json.loads(record.value or b"") for record in records]
        found[partition.number] = [(value["customer"], value["amount"]) for value in values]
    return found


def _totals(orders: Mapping[Partition, list[Record]]) -> dict[int, list[tuple[str, int]]]:
    """One total for each order, in the order in which they lie. A key's partition is the same."""
    sums: defaultdict[str, int] = defaultdict(int)
    found: dict[int, list[tuple[str, int]]] = {}
    for partition, records in orders.items():
        totals = found[partition.number] = []
        for record in records:
            order = json.loads(record.value or b"")
            sums[order["customer"]] += order["amount"]
            totals.append((order["customer"], sums[order["customer"]]))
    return found
