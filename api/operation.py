"""What operators and machines ask of every role: /healthz, /readyz, /metrics."""

from collections.abc import Mapping
from typing import Final

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from prometheus_client import generate_latest

from api.health import Asked
from api.problems import RETRY_AFTER_S, Refused
from streams.metrics import Metrics


class Alive(msgspec.Struct, frozen=True):
    #: ok
    status: str


class Ready(msgspec.Struct, frozen=True):
    #: ok: anything else is told as a problem.
    status: str
    #: What each part of the process does now.
    parts: Mapping[str, str]


@get("/healthz", tags=["operation"])
async def healthz() -> Alive:
    """The process lives."""
    return Alive("ok")


@get("/readyz", tags=["operation"])
async def readyz(health: Asked) -> Ready:
    """Whether every part that is needed can do its work; else 503 with what cannot, and why."""
    findings = await health.findings()
    parts = {part: finding.says for part, finding in findings.items()}
    if reasons := health.reasons(findings):
        detail = "; ".join(f"{part}: {reason}" for part, reason in reasons.items())
        retry = {"Retry-After": str(RETRY_AFTER_S)}
        raise Refused(503, "not-ready", detail, retry, {"reasons": reasons, "parts": parts})
    return Ready("ok", parts)


@get("/metrics", tags=["operation"], media_type="text/plain; version=1.0.0")
async def metrics(counted: NamedDependency[Metrics]) -> bytes:
    """The metrics of this process, in the text form of Prometheus."""
    return generate_latest(counted.registry)


ROUTES: Final[list[HTTPRouteHandler]] = [healthz, readyz, metrics]
