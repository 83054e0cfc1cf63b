"""GET /about, and what operators and machines ask: /healthz, /readyz, /metrics."""

import asyncio
from typing import Final

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import generate_latest

from api.answers import About, Answer, Meta
from api.ports import Ports, Wired
from api.problems import RETRY_AFTER_S, Refused
from api.times import iso
from clickhouse.history import HistoryError
from streams.log import LogError

HISTORY_TIMEOUT_S: Final = 2.0
#: The live view may lag the log by so many messages and still be ready.
LAG_AT_MOST: Final = 2_000


class Health(msgspec.Struct, frozen=True):
    #: ok: anything else is told as a problem.
    status: str


@get("/about", tags=["about"])
async def about(ports: Wired) -> Answer[About]:
    """Which program this is, what time it is in it, and what its numbers are."""
    settings, now = ports.settings, iso(ports.clock.now_ms())
    data = About(
        name=settings.name,
        version=settings.version,
        mode=settings.mode,
        now=now,
        speed=ports.clock.speed,
        measured=settings.measured,
        modelled=settings.modelled,
        credits=list(settings.credits),
    )
    return Answer(data, Meta(as_of=now, from_=None, to=None, coverage=1.0, sources=[]))


@get("/healthz", tags=["operation"])
async def healthz() -> Health:
    """The process lives."""
    return Health("ok")


@get("/readyz", tags=["operation"])
async def readyz(ports: Wired) -> Health:
    """Whether log and history answer and the live view has caught up; else 503 with what is not."""
    checks = (_log_reasons(ports), _history_reasons(ports))
    reasons = [reason for part in await asyncio.gather(*checks) for reason in part]
    if reasons:
        retry = {"Retry-After": str(RETRY_AFTER_S)}
        raise Refused(503, "not-ready", "; ".join(reasons), retry)
    return Health("ok")


@get("/metrics", tags=["operation"], media_type="text/plain; version=1.0.0")
async def metrics(ports: Wired) -> bytes:
    """The metrics of this process, in the text form of Prometheus."""
    return generate_latest(ports.metrics.registry)


async def _log_reasons(ports: Ports) -> list[str]:
    live = ports.live
    if live.failure is not None:
        return [f"log: {live.failure}"]
    if not live.ready:
        return ["live: still reading what the log holds"]
    try:
        lag = await live.lag()
    except LogError as error:
        return [f"log: {error}"]
    return [f"live: {lag} messages behind the log"] if lag > LAG_AT_MOST else []


async def _history_reasons(ports: Ports) -> list[str]:
    try:
        async with asyncio.timeout(HISTORY_TIMEOUT_S):
            await ports.reader.channels()
    except TimeoutError:
        return [f"history: no answer within {HISTORY_TIMEOUT_S:g} s"]
    except HistoryError as error:
        return [f"history: {error}"]
    return []


ROUTES: Final[list[HTTPRouteHandler]] = [healthz, readyz, metrics]
