"""The health check of containers, run beside a server as it is in the image."""

import asyncio
import subprocess
import sys
from pathlib import Path

from api import role_app
from api.health import Health
from api.server import Server
from api.settings import Settings
from streams.clock import SystemClock
from streams.health import Finding, not_ready
from streams.metrics import Metrics
from tests.api.reading import FixedReader
from tests.api.serving import Serving, open_log
from tests.deploy.compose import ROOT


def _healthy(
    port: int, environment: dict[str, str], *route: str
) -> subprocess.CompletedProcess[str]:
    check = [sys.executable, "-I", str(ROOT / "deploy/healthy.py"), *route]
    environment = {"ANALYTICBOT_PORT": str(port), **environment}
    return subprocess.run(check, env=environment, capture_output=True, text=True, check=False)


def test_what_does_not_answer_is_not_healthy() -> None:
    done = _healthy(1, {"ANALYTICBOT_API_KEY": "a-key-of-our-own"})
    assert done.returncode == 1
    assert "refused" in done.stderr


async def test_what_answers_is_healthy_for_who_has_the_key(tmp_path: Path) -> None:
    (tmp_path / "api_key").write_text("a-key-of-our-own\n")
    log = await open_log(tmp_path / "log")
    async with Serving(log, FixedReader(), Settings(port=0, api_key="a-key-of-our-own")) as serving:
        port = serving.server.port
        right = {"ANALYTICBOT_API_KEY_FILE": str(tmp_path / "api_key")}
        for routes in ([], ["/readyz"], ["/healthz"]):
            assert (await asyncio.to_thread(_healthy, port, right, *routes)).returncode == 0
            assert (await asyncio.to_thread(_healthy, port, {}, *routes)).returncode == 1
        assert (await asyncio.to_thread(_healthy, port, right, "/api/v1/no-such")).returncode == 1
    await log.close()


async def test_a_role_that_waits_lives_and_is_not_ready() -> None:
    """So an outage elsewhere takes it out of service and does not restart it."""

    async def check() -> Finding:
        return not_ready("away")

    health, settings = Health(), Settings(port=0, api_key="a-key-of-our-own")
    health.add("log", check)
    metrics = Metrics()
    server = Server(role_app.build(health, metrics), None, settings, metrics, SystemClock())
    await server.start()
    try:
        key = {"ANALYTICBOT_API_KEY": "a-key-of-our-own"}
        alive, ready = [
            await asyncio.to_thread(_healthy, server.port, key, route)
            for route in ("/healthz", "/readyz")
        ]
    finally:
        await server.stop()
    assert alive.returncode == 0
    assert ready.returncode == 1
    assert "503" in ready.stderr
