"""How the tables and the channels of this worker are, told to the metrics every few seconds."""

import asyncio
from contextlib import suppress

from agents.engine.watermarks import Watermarks
from streams.clock import Clock
from streams.driver.desk import Desk
from streams.log import LogError
from streams.metrics import Metrics

#: Careful: a scrape in between sees what was then.
EVERY_S = 5.0


async def tell_vitals(watermarks: Watermarks, desk: Desk, clock: Clock, metrics: Metrics) -> None:
    """Until cancelled."""
    while True:
        watermarks.tell(metrics, clock.now_ms())
        # While the app stops, the log closes before this ends.
        with suppress(LogError):
            _tell_desk(desk, metrics)
        await asyncio.sleep(EVERY_S)


def _tell_desk(desk: Desk, metrics: Metrics) -> None:
    metrics.gauge("analyticbot_tasks", desk.tasks(), state="active")
    for table, rows in desk.rows().items():
        metrics.gauge("analyticbot_table_rows", rows, table=table)
    metrics.gauge("analyticbot_table_bytes", desk.size_bytes())
