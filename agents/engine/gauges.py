"""Reports gauges of this worker's tables and channels every few seconds."""

import asyncio
from contextlib import suppress

from agents.engine.watermarks import Watermarks
from streams.clock import Clock
from streams.context import ProcessorContext
from streams.log import LogError
from streams.metrics import Metrics

#: Careful: a scrape in between sees the last values.
EVERY_S = 5.0


async def report_gauges(
    watermarks: Watermarks, context: ProcessorContext, clock: Clock, metrics: Metrics
) -> None:
    """Runs until cancelled."""
    while True:
        watermarks.tell(metrics, clock.now_ms())
        # While the app stops, the log closes before this task ends.
        with suppress(LogError):
            _report_tables(context, metrics)
        await asyncio.sleep(EVERY_S)


def _report_tables(context: ProcessorContext, metrics: Metrics) -> None:
    metrics.gauge("analyticbot_tasks", len(context.tasks()), state="active")
    for table, rows in context.rows().items():
        metrics.gauge("analyticbot_table_rows", rows, table=table)
    metrics.gauge("analyticbot_table_bytes", context.size_bytes())
