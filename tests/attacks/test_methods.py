"""HEAD wherever there is GET; what is not possible says what is."""

import pytest

from tests.api.serving import Serving, put, summary
from tests.attacks.knocking import ask, request

PATHS = ["/healthz", "/readyz", "/metrics", "/api/v1/channels", "/openapi.json", "/docs", "/"]
#: They differ from one request to the next.
CHANGING = {"date", "content-length", "etag"}


@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/api/v1/channels/unknown_one"])
async def test_head_is_get_without_its_body(serving: Serving, path: str) -> None:
    head, get = await serving.http.head(path), await serving.get(path)
    assert head.content == b""
    assert head.status_code == get.status_code
    unlike = CHANGING if path == "/metrics" else {"date"}
    for name in head.headers.keys() | get.headers.keys() - unlike:
        assert name in unlike or head.headers[name] == get.headers[name]


async def test_the_head_of_a_stream_ends(serving: Serving) -> None:
    await put(serving.log, summary("One"))
    head = await serving.http.head("/api/v1/taps/stream?since=1970-01-01T00:00:00Z")
    assert head.status_code == 200
    assert head.headers["content-type"].startswith("text/event-stream")
    assert (await serving.http.head("/healthz")).status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_others_are_told_what_is_possible(serving: Serving, path: str) -> None:
    allowed = "GET, HEAD, OPTIONS"
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get"):
        answer = await ask(serving.server.port, request(path, method=method))
        assert answer is not None
        assert answer.status == 405
        assert answer.headers["allow"] == allowed
        assert answer.problem["detail"] == f"{method} is not possible here; possible are {allowed}"
    options = await serving.http.options(path)
    assert (options.status_code, options.headers["allow"]) == (204, allowed)


async def test_every_answer_forbids_sniffing_and_framing(serving: Serving) -> None:
    for path in (*PATHS, "/nothing.js", "/api/v1/channels/unknown_one", "/api/v1/live"):
        headers = (await serving.get(path)).headers
        assert headers.get_list("x-content-type-options") == ["nosniff"], path
        assert headers.get_list("x-frame-options") == ["DENY"], path


async def test_the_description_has_a_policy_too(serving: Serving) -> None:
    policy = (await serving.get("/docs")).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self' 'sha256-" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2]
    assert "frame-ancestors 'none'" in policy
