"""The dashboard's files, and what is said when they are not there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.settings import Settings
from streams.log import Log
from tests.api.reading import FixedReader
from tests.api.serving import Serving

SCRIPT = "console.log('a page of ours');\n" * 100


@pytest.fixture
def static(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>Channels</title>")
    (root / "assets" / "main-abc123.js").write_text(SCRIPT)
    (tmp_path / "secret.txt").write_text("not for you")
    return root


@pytest_asyncio.fixture
async def site(log: Log, static: Path) -> AsyncIterator[Serving]:
    async with Serving(log, FixedReader(), Settings(port=0, static_dir=static)) as serving:
        yield serving


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/channels", "/channels/durov", "/channels/a.b"]
)
async def test_pages_of_the_dashboard(site: Serving, path: str) -> None:
    response = await site.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "default-src 'self'" in response.headers["content-security-policy"]
    again = await site.get(path, {"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_hashed_files_are_kept_for_ever_and_compressed(site: Serving) -> None:
    response = await site.get("/assets/main-abc123.js")
    assert response.text == SCRIPT
    assert response.headers["content-type"].startswith("application/javascript")
    assert response.headers["content-encoding"] == "gzip"
    assert "immutable" in response.headers["cache-control"]


async def test_changed_file_is_read_again(site: Serving, static: Path) -> None:
    before = await site.get("/")
    (static / "index.html").write_text("<!doctype html><title>Others</title>")
    after = await site.get("/", {"If-None-Match": before.headers["etag"]})
    assert (after.status_code, "Others" in after.text) == (200, True)


@pytest.mark.parametrize(
    "path", ["/missing.js", "/../secret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt"]
)
async def test_no_file_there(site: Serving, path: str) -> None:
    response = await site.http.get(path)
    assert response.status_code == 404
    assert "not for you" not in response.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/settings", 404),
        ("/channels/durov/deep", 404),
        ("/channels/" + "a" * 300, 200),
        ("/" + "a" * 300, 404),
        ("/" + "a" * 5_000, 404),
        ("/%00", 404),
        ("/%00.js", 404),
    ],
)
async def test_unknown_pages_are_shown_with_404(site: Serving, path: str, status: int) -> None:
    response = await site.get(path)
    assert response.status_code == status
    if not path.endswith(".js"):
        assert "<title>Channels</title>" in response.text


async def test_not_built_says_how_to(log: Log, tmp_path: Path) -> None:
    settings = Settings(port=0, static_dir=tmp_path / "nowhere")
    async with Serving(log, FixedReader(), settings) as serving:
        response = await serving.get("/")
    assert response.status_code == 503
    assert response.headers["content-type"].startswith("text/plain")
    assert "make setup" in response.text
