"""What the decision FADING must leave in a log: made of its own topic as it lies there."""

from agents.pipeline import INPUTS
from streams.analytics import Alert
from streams.log import Log, Record
from streams.topics import ALERTS, changelog_of, repartition_of
from tests.agents.fading import FADING
from tests.agents.in_memory import InMemory
from tests.agents.test_timers_kept import alerts_in
from tests.faults.left import lying
from tests.streams.sources.manual_clock import ManualClock


async def check_fading(log: Log, group: str) -> None:
    """Its rows and alerts are what each partition of its topic says, each once."""
    forwarded = await lying(log, repartition_of(group, FADING.name).name)
    rows: dict[bytes, bytes] = {}
    alerts: list[Alert] = []
    for partition, records in forwarded.items():
        run = InMemory((FADING,), INPUTS, ManualClock(2**41), len(forwarded))
        run.topics[repartition_of("analyticbot", FADING.name).name] = list(records)
        run.run()
        assert records, partition
        rows |= run.tables["fading"]
        alerts += alerts_in(run.topics[ALERTS.name], "faded")
    assert await _rows(log, group, "fading") == rows
    assert rows
    sent = [record for found in (await lying(log, ALERTS.name)).values() for record in found]
    assert sorted(map(repr, alerts_in(sent, "faded"))) == sorted(map(repr, alerts))
    assert alerts


async def has_faded(log: Log, group: str) -> bool:
    """Whether no timer waits."""
    return not await _rows(log, group, "fading-timers")


async def _rows(log: Log, group: str, table: str) -> dict[bytes, bytes]:
    rows: dict[bytes, Record] = {}
    for records in (await lying(log, changelog_of(group, table).name)).values():
        rows |= {record.key or b"": record for record in records}
    return {key: record.value for key, record in rows.items() if record.value is not None}
