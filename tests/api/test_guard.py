"""Who is let in."""

import pytest
from websockets.exceptions import InvalidStatus

from api.live_feed import Live
from api.messages import Snapshot
from api.server import Server, ServerError
from api.settings import Settings, UnsafeSettings
from streams.log import Log
from tests.api.reading import FixedReader
from tests.api.serving import Serving, next_of

KEY = "a-key-of-our-own"
PATHS = ["/api/v1/channels", "/", "/healthz", "/metrics", "/docs", "/openapi.json"]


@pytest.mark.parametrize("host", ["localhost:1234", "127.0.0.1", "[::1]:8000"])
async def test_own_names_are_answered(serving: Serving, host: str) -> None:
    assert (await serving.get("/healthz", {"Host": host})).status_code == 200


async def test_foreign_name_pointed_at_us_is_refused(serving: Serving) -> None:
    for path in PATHS:
        response = await serving.get(path, {"Host": "rebound.example"})
        assert response.status_code == 403
        assert response.json()["title"] == "Host refused"


async def test_any_name_is_answered_to_whoever_has_the_key(log: Log) -> None:
    async with Serving(log, FixedReader(), Settings(port=0, api_key=KEY)) as serving:
        headers = {"Host": "stats.example", "X-API-Key": KEY}
        assert (await serving.get("/healthz", headers)).status_code == 200


async def test_key_is_required_everywhere(log: Log) -> None:
    async with Serving(log, FixedReader(), Settings(port=0, api_key=KEY)) as serving:
        for path in PATHS:
            response = await serving.get(path)
            assert response.status_code == 401, path
            assert response.json()["title"] == "Key required"
            assert response.headers["www-authenticate"].startswith("Basic")
        assert (await serving.get("/healthz", {"X-API-Key": "wrong"})).status_code == 401
        assert (await serving.get("/healthz", {"X-API-Key": KEY})).status_code == 200
        bearer = {"Authorization": f"Bearer {KEY}"}
        assert (await serving.get("/healthz", bearer)).status_code == 200
        with pytest.raises(InvalidStatus):
            await serving.connect()
        async with serving.connect(additional_headers=bearer) as socket:
            await next_of(socket, Snapshot)


async def test_browser_gives_the_key_once_and_then_a_cookie(log: Log) -> None:
    async with Serving(log, FixedReader(), Settings(port=0, api_key=KEY)) as serving:
        response = await serving.http.get("/healthz", auth=("anybody", KEY))
        cookie = response.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert KEY not in cookie
        session = {"Cookie": cookie.partition(";")[0]}
        async with serving.connect(additional_headers=session) as socket:
            await next_of(socket, Snapshot)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_beyond_this_machine_only_with_a_key(host: str) -> None:
    with pytest.raises(UnsafeSettings, match="ANALYTICBOT_API_KEY"):
        Settings(host=host).check()
    Settings(host=host, api_key=KEY).check()


async def test_port_in_use_is_one_clear_line(log: Log, serving: Serving) -> None:
    settings = Settings(port=serving.server.port)
    live = Live(log, serving.clock, serving.metrics)
    with pytest.raises(ServerError, match=rf"^127\.0\.0\.1:{settings.port} is in use"):
        await Server(serving.app, live, settings, serving.metrics, serving.clock).start()


async def test_address_of_nobody_is_one_clear_line(log: Log, serving: Serving) -> None:
    settings = Settings(host="203.0.113.1", port=0, api_key=KEY)
    live = Live(log, serving.clock, serving.metrics)
    with pytest.raises(ServerError, match="cannot listen on"):
        await Server(serving.app, live, settings, serving.metrics, serving.clock).start()
