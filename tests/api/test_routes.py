"""The shapes of the REST answers, and what may be asked."""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio

from api import app
from clickhouse.reader import Reader
from streams.ids import ChannelId
from streams.log import Log
from tests.api.reading import AwayReader, BrokenReader, DamagedReader, FailingReader, FixedReader
from tests.api.serving import Serving, open_log, put, summary, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASE = "/api/v1/channels"
PROBLEM = ["type", "title", "status", "detail", "instance"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    """One for the whole module: its tests only ask."""
    log = await open_log(tmp_path_factory.mktemp("routes") / "log")
    async with Serving(log, FixedReader()) as serving:
        yield serving
    await log.close()


@pytest.fixture
def log(serving: Serving) -> Log:
    return serving.log


@pytest.mark.parametrize(
    "spelling",
    [
        "durov",
        "@DUROV",
        "1234",
        "-1000000001234",
        "id1234",
        quote("https://t.me/durov", safe=""),
        quote("t.me/s/Durov", safe=""),
        quote("https://t.me/durov/123?single", safe=""),
        quote("tg://resolve?domain=durov", safe=""),
        quote("https://t.me/c/1234/55", safe=""),
        quote("https://t.me/durov", safe=":"),
    ],
)
async def test_channel_in_any_spelling(serving: Serving, spelling: str) -> None:
    response = await serving.get(f"{BASE}/{spelling}")
    assert response.json()["data"]["id"] == 1234
    posts = await serving.get(f"{BASE}/{spelling}/posts?limit=1")
    assert posts.status_code == 200
    assert posts.url.query == b"limit=1"


async def test_channel_known_by_the_live_view_before_history(serving: Serving) -> None:
    new = ChannelId(99)
    await put(serving.log, summary("New", channel=new, username="brandnew"))
    await until(lambda: new in serving.live.view.channels)
    response = await serving.get(f"{BASE}/brandnew/overview")
    assert response.status_code == 200
    assert (await serving.get(f"{BASE}/brandnew")).json()["data"]["title"] == "New"
    listed = (await serving.get(BASE)).json()["data"]
    assert [row["username"] for row in listed] == ["durov", "brandnew"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{BASE}/!!", 400, "invalid-channel"),
        (f"{BASE}/-5/views", 400, "invalid-channel"),
        (f"{BASE}/https%3A%2F%2Fexample.com%2Fx", 400, "invalid-channel"),
        (f"{BASE}/t.me%2F+AbCd/views", 400, "invalid-channel"),
        (f"{BASE}/nobody", 404, "channel-unknown"),
        (f"{BASE}/nobody/views", 404, "channel-unknown"),
        (f"{BASE}/durov/posts/8", 404, "post-unknown"),
        (f"{BASE}/durov/posts/8/curve", 404, "post-unknown"),
        (f"{BASE}/durov/posts/x", 400, "bad-parameter"),
        (f"{BASE}/durov/nothing", 404, "http"),
        ("/api/v2/channels", 404, "http"),
        (f"{BASE}/durov/views?form=2026-01-01", 400, "unknown-parameter"),
        (f"{BASE}?step=1m", 400, "unknown-parameter"),
        ("/api/v1/about?x=1", 400, "unknown-parameter"),
        (f"{BASE}/durov/views?step=2m", 400, "bad-parameter"),
        (f"{BASE}/durov/views?from=yesterday", 400, "bad-parameter"),
        (f"{BASE}/durov/views?from=-24y", 400, "bad-parameter"),
        (f"{BASE}/durov/views?from=-999999d", 422, "range-unusable"),
        (f"{BASE}/durov/posts/0", 400, "bad-parameter"),
        (f"{BASE}/durov/posts/99999999999999999999/curve", 400, "bad-parameter"),
        (f"{BASE}/durov/views?to=0001-01-01T00:00%2B01:00", 422, "range-unusable"),
        (f"{BASE}/durov/views?to=9999-12-31T23:59-01:00", 422, "range-unusable"),
        (f"{BASE}/durov/posts?limit=501", 400, "bad-parameter"),
        (f"{BASE}/durov/posts?limit=0", 400, "bad-parameter"),
        (f"{BASE}/durov/posts?limit=many", 400, "bad-parameter"),
        (f"{BASE}/durov/posts?sort=luck", 400, "bad-parameter"),
        (f"{BASE}/durov/alerts?cursor=x", 400, "bad-cursor"),
        (f"{BASE}/durov/views?from=2026-01-02&to=2026-01-02", 422, "range-unusable"),
        (f"{BASE}/durov/views?from=2020-01-01&step=1m", 422, "range-unusable"),
    ],
)
async def test_refused(serving: Serving, path: str, status: int, code: str) -> None:
    response = await serving.get(path)
    body = response.json()
    assert (response.status_code, body["type"]) == (status, f"urn:analyticbot:problem:{code}")
    assert response.headers["content-type"] == "application/problem+json"
    assert list(body) == PROBLEM
    assert body["status"] == status
    assert body["instance"] == path.partition("?")[0]


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("views?step=2m", "step: '2m' is not allowed; use one of 1m, 5m, 15m, 1h, 6h, 1d"),
        (
            "posts?sort=luck",
            "sort: 'luck' is not allowed; "
            "use one of date, views, forwards, replies, reactions, velocity",
        ),
        ("posts/abc", "post_id: Expected `int`, got `str`"),
        ("posts?limit=501", "limit: Expected `int` <= 500"),
    ],
)
async def test_what_is_wrong_with_a_parameter(serving: Serving, path: str, detail: str) -> None:
    assert (await serving.get(f"{BASE}/durov/{path}")).json()["detail"] == detail


async def test_wrong_method_is_a_problem_too(serving: Serving) -> None:
    response = await serving.http.post(BASE)
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]
    assert list(response.json()) == PROBLEM


@pytest.mark.parametrize(
    ("reader", "status", "code"),
    [
        (AwayReader(), 503, "history-away"),
        (FailingReader(), 500, "query-failed"),
        (DamagedReader(), 500, "history-damaged"),
        (BrokenReader(), 500, "internal"),
    ],
)
async def test_failures_of_ours(log: Log, reader: Reader, status: int, code: str) -> None:
    async with Serving(log, reader) as serving:
        response = await serving.get(BASE)
    assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (status, code)
    assert list(response.json()) == PROBLEM
    assert "secret" not in response.text
    assert ("retry-after" in response.headers) == (status == 503)


async def test_a_question_that_history_refuses_is_logged(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    async with Serving(log, FailingReader()) as serving:
        await serving.get(BASE)
    [told] = [record for record in caplog.records if record.message == "query_failed"]
    assert told.reason == "SELECT secret FROM nowhere"  # type: ignore[attr-defined]


async def test_unchanged_answer_is_304(serving: Serving) -> None:
    for path in [BASE, "/api/v1/about", "/openapi.json", "/asyncapi.json", "/healthz"]:
        etag = (await serving.get(path)).headers["etag"]
        again = await serving.get(path, {"If-None-Match": f'"other", {etag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
        changed = await serving.get(path, {"If-None-Match": '"other"'})
        assert changed.status_code == 200


async def test_large_answers_are_compressed(serving: Serving) -> None:
    response = await serving.get("/openapi.json")
    assert response.headers["content-encoding"] == "gzip"
    plain = await serving.get("/openapi.json", {"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == response.json()


async def test_pages_of_a_list_end_and_keep_their_range(serving: Serving) -> None:
    path = f"{BASE}/durov/alerts?limit=2"
    first = (await serving.get(path)).json()
    second = (await serving.get(f"{path}&cursor={first['meta']['cursor']}")).json()
    assert [row["alert_id"] for row in first["data"] + second["data"]] == [
        "spike-0",
        "spike-1",
        "spike-2",
    ]
    assert second["meta"]["cursor"] is None
    assert second["meta"]["to"] == first["meta"]["to"]


@pytest.mark.parametrize(
    ("query", "from_", "to"),
    [
        ("", "2026-02-22T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("?to=2026-02-01", "2026-01-25T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("?from=2026-02-28T23:00:00.5%2B03:00", "2026-02-28T20:00:00.500Z", "2026-03-01T12:00:00Z"),
    ],
)
async def test_ranges(serving: Serving, query: str, from_: str, to: str) -> None:
    meta = (await serving.get(f"{BASE}/durov/overview{query}")).json()["meta"]
    assert (meta["from"], meta["to"]) == (from_, to)


async def test_readiness_names_every_part(serving: Serving) -> None:
    parts = {"live": "ok", "history": "ok"}
    assert (await serving.get("/readyz")).json() == {"status": "ok", "parts": parts}


async def test_without_history_pages_stay_live_and_are_told(log: Log) -> None:
    async with Serving(log, AwayReader()) as away:
        response = await away.get("/readyz")
        assert response.status_code == 200
        parts = {"live": "ok", "history": "127.0.0.1:8123 refuses connections"}
        assert response.json() == {"status": "ok", "parts": parts}
        assert (await away.get(BASE)).status_code == 503


async def test_metrics_by_their_names(serving: Serving) -> None:
    await serving.get(BASE)
    text = (await serving.get("/metrics")).text
    assert 'analyticbot_received_total{stage="api"}' in text
    assert 'analyticbot_stage_seconds_count{stage="api"}' in text
    assert "analyticbot_live_connections" in text


async def test_every_route_is_described(serving: Serving) -> None:
    document = (await serving.get("/openapi.json")).json()
    routes = {path for route in app.REST for path in route.paths}
    rest = {f"/api/v1{re.sub(r':[a-z]+}', '}', path)}" for path in routes}
    operation = {"/healthz", "/metrics", "/readyz"}
    assert set(document["paths"]) == {*rest, "/api/v1/taps/stream", *operation}
    assert "/api/v1/channels/{channel}/posts/{post_id}/curve" in rest
    assert document["openapi"].startswith("3.1")
    assert {"Problem", "OverviewAnswer", "list_PostAnswer"} <= set(
        document["components"]["schemas"]
    )


async def test_every_figure_says_what_it_rests_on(serving: Serving) -> None:
    schemas = (await serving.get("/openapi.json")).json()["components"]["schemas"]
    overview = schemas["Overview"]["properties"]
    assert all("overage" in field["description"] for field in overview.values())
    assert "evidence" in schemas["Meta"]["properties"]


async def test_alerts_of_all_channels_by_pages(serving: Serving) -> None:
    first = (await serving.get("/api/v1/alerts?limit=2")).json()
    assert [alert["alert_id"] for alert in first["data"]] == ["spike-0", "spike-1"]
    rest = await serving.get(f"/api/v1/alerts?limit=2&cursor={first['meta']['cursor']}")
    assert [alert["alert_id"] for alert in rest.json()["data"]] == ["spike-2"]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("-24h", "2026-02-28T12:00:00Z"),
        ("-30m", "2026-03-01T11:30:00Z"),
        ("-7d", "2026-02-22T12:00:00Z"),
    ],
)
async def test_a_time_may_be_so_long_ago(serving: Serving, asked: str, meant: str) -> None:
    answer = await serving.get(f"{BASE}/durov/overview?from={asked}")
    assert answer.json()["meta"]["from"] == meant


async def test_documents_name_nothing_outside(serving: Serving) -> None:
    for path in ("/docs", "/openapi.json", "/asyncapi.json"):
        text = (await serving.get(path)).text
        assert "http://" not in text.replace(serving.server.url, "")
        assert "https://" not in text.replace("https://t.me/", "")
