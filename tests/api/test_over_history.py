"""The REST answers over the real history: their shapes, and what they say."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from clickhouse.history_reader import HistoryReader
from tests.api import golden
from tests.api.history import store
from tests.api.serving import Serving, open_log

pytestmark = pytest.mark.asyncio(loop_scope="module")
pytest.importorskip("chdb", reason="history in process needs the extra `embedded`")

BASE = "/api/v1/channels"
SHAPES = {
    "channels": BASE,
    "channel": f"{BASE}/durov",
    "overview": f"{BASE}/durov/overview",
    "overview_nothing_known": f"{BASE}/durov/overview?from=2020-01-01&to=2020-01-02",
    "views": f"{BASE}/durov/views?from=2026-03-01T00:00Z&to=2026-03-01T06:00Z&step=1h",
    "views_nothing_known": f"{BASE}/durov/views?from=2020-01-01&to=2020-01-02&step=6h",
    "posts": f"{BASE}/durov/posts",
    "posts_nothing_known": f"{BASE}/durov/posts?from=2020-01-01&to=2020-01-02",
    "post": f"{BASE}/durov/posts/7",
    "curve": f"{BASE}/durov/posts/7/curve",
    "growth": f"{BASE}/durov/growth?from=2026-03-01T00:00Z&step=6h",
    "alerts": f"{BASE}/durov/alerts",
    "about": "/api/v1/about",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    folder = tmp_path_factory.mktemp("over_history")
    log = await open_log(folder / "log")
    history = await store(log, folder / "history")
    async with Serving(log, HistoryReader(history)) as serving:
        yield serving
    await history.close()
    await log.close()


@pytest.mark.parametrize("name", SHAPES)
async def test_shape(serving: Serving, name: str) -> None:
    response = await serving.get(SHAPES[name])
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    golden.check(name, response.json())


async def test_unchanged_answer_is_304(serving: Serving) -> None:
    for path in SHAPES.values():
        etag = (await serving.get(path)).headers["etag"]
        assert (await serving.get(path, {"If-None-Match": etag})).status_code == 304


@pytest.mark.parametrize("route", ["overview", "views?step=1d", "growth", "posts", "alerts"])
async def test_all_of_the_past(serving: Serving, route: str) -> None:
    separator = "&" if "?" in route else "?"
    past = "2010-01-01" if route.startswith(("views", "growth")) else "1970-01-01"
    response = await serving.get(f"{BASE}/durov/{route}{separator}from={past}")
    assert response.status_code == 200


@pytest.mark.parametrize("sort", ["date", "views", "forwards", "replies", "reactions", "velocity"])
async def test_posts_by_pages(serving: Serving, sort: str) -> None:
    path, ids, cursor = f"{BASE}/durov/posts?sort={sort}&limit=1", [], ""
    for _ in range(2):
        body = (await serving.get(path + cursor)).json()
        ids += [post["post_id"] for post in body["data"]]
        cursor = f"&cursor={body['meta']['cursor']}"
    assert sorted(ids) == [6, 7]
    assert body["meta"]["cursor"] is None


async def test_cursor_of_another_order_is_refused(serving: Serving) -> None:
    cursor = (await serving.get(f"{BASE}/durov/posts?limit=1")).json()["meta"]["cursor"]
    response = await serving.get(f"{BASE}/durov/posts?sort=views&cursor={cursor}")
    assert (response.status_code, response.json()["title"]) == (400, "Bad cursor")
