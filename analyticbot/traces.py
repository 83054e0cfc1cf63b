"""The traces of one process, as configured."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from analyticbot.config import Settings
from analyticbot.failure import Failure
from streams.tracing import Traces, TracingUnavailable, open_traces


@asynccontextmanager
async def opened_traces(settings: Settings) -> AsyncIterator[Traces | None]:
    """None if tracing is off. Sends pending traces at the end of the block. Raises Failure."""
    if settings.traces is None:
        yield None
        return
    about = {"service.instance.id": settings.instance or socket.gethostname()}
    try:
        traces = open_traces(settings.traces, settings.trace_share, about)
    except TracingUnavailable as error:
        raise Failure(str(error)) from error
    try:
        yield traces
    finally:
        await asyncio.to_thread(traces.close)
