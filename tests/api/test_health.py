"""What every role answers: /healthz, /readyz and /metrics, over uvicorn and behind the guard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from api import role_app
from api.health import Health
from api.server import Server
from api.settings import Settings
from streams.clock import SystemClock
from streams.health import READY, Check, Finding, not_ready
from streams.metrics import Metrics
from tests.patience import PATIENCE_S


@asynccontextmanager
async def answering(health: Health, key: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    metrics = Metrics()
    settings = Settings(port=0, api_key=key)
    server = Server(role_app.build(health, metrics), None, settings, metrics, SystemClock())
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) as http:
            yield http
    finally:
        await server.stop()


def always(finding: Finding) -> Check:
    async def check() -> Finding:
        return finding

    return check


async def never() -> Finding:
    await asyncio.Event().wait()
    return READY


async def test_it_is_ready_when_all_parts_are() -> None:
    health = Health()
    health.add("log", always(READY))
    health.add("accounts", always(Finding(True, "waiting for one")))
    async with answering(health) as http:
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()) == (
            200,
            {"status": "ok", "parts": {"log": "ok", "accounts": "waiting for one"}},
        )
        assert (await http.get("/healthz")).json() == {"status": "ok"}
        assert "analyticbot_live_connections" in (await http.get("/metrics")).text
        assert (await http.get("/api/v1/channels")).status_code == 404


async def test_each_part_that_is_not_ready_says_why() -> None:
    health = Health(timeout_s=0.05)
    health.add("log", always(READY))
    health.add("tables", always(not_ready("recovering")))
    health.add("history", never)
    async with answering(health) as http:
        response = await http.get("/readyz")
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["retry-after"] == "5"
        problem = response.json()
        reasons = {"tables": "recovering", "history": "no answer within 0.05 s"}
        assert problem["reasons"] == reasons
        assert problem["parts"] == {"log": "ok", **reasons}
        assert problem["detail"] == "tables: recovering; history: no answer within 0.05 s"
        assert (await http.get("/healthz")).status_code == 200


async def test_a_part_that_is_not_needed_is_told_of_only() -> None:
    health = Health()
    health.add("accounts", always(not_ready("nobody is logged in")), needed=False)
    async with answering(health) as http:
        ready = await http.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["parts"] == {"accounts": "nobody is logged in"}


async def test_the_key_is_asked_for_everywhere() -> None:
    async with answering(Health(), key="a-key-of-our-own") as http:
        for path in ("/healthz", "/readyz", "/metrics"):
            http.cookies.clear()
            assert (await http.get(path)).status_code == 401
            with_key = await http.get(path, headers={"Authorization": "Bearer a-key-of-our-own"})
            assert with_key.status_code == 200
    async with answering(Health()) as http:
        foreign = {"Host": "elsewhere.example"}
        assert (await http.get("/metrics", headers=foreign)).status_code == 403
