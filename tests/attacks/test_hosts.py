"""Host and Origin: names that are none, and names of others."""

import pytest

from api.guard import host_name
from api.settings import Settings
from streams.log import Log
from tests.api.reading import FixedReader
from tests.api.serving import Serving
from tests.attacks.knocking import HANDSHAKE, ask, request

KEY = "a-key-of-our-own"
NO_HOSTS = [
    "[x]",
    "[",
    "]",
    "[::1",
    "a b",
    "a/b",
    "a@b",
    "a,b",
    "a:b",
    "a:99999999",
    "ü",
    "%5b",
    "\\",
]


@pytest.mark.parametrize("key", [None, KEY])
async def test_what_is_no_host_is_refused_before_the_key(log: Log, key: str | None) -> None:
    async with Serving(log, FixedReader(), Settings(port=0, api_key=key)) as serving:
        for host in NO_HOSTS:
            for lines in ((), HANDSHAKE):
                answer = await ask(serving.server.port, request("/api/v1/live", *lines, host=host))
                assert answer is not None
                assert answer.status == 400
                assert answer.problem["type"] == "urn:analyticbot:problem:bad-host"


async def test_two_hosts_and_none_are_refused(serving: Serving) -> None:
    for sent in (
        request("/", "Host: localhost"),
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        answer = await ask(serving.server.port, sent)
        assert answer is not None
        assert answer.status == 400
        assert "not valid HTTP/1.1" in answer.problem["detail"]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"localhost:80", "localhost"),
        (b"LOCALHOST", "localhost"),
        (b"[::1]:8000", "::1"),
        (b"[0:0:0:0:0:0:0:1]", "::1"),
        (b"a_b.example", "a_b.example"),
        (b"", ""),
        (b"[::1]]", None),
        (b"[127.0.0.1]", None),
        (b"a" * 254, None),
    ],
)
def test_the_name_in_a_host(host: bytes, name: str | None) -> None:
    assert host_name(host) == name


async def test_a_foreign_host_is_told_in_a_problem_by_the_socket_too(serving: Serving) -> None:
    for lines in ((), HANDSHAKE):
        sent = request("/api/v1/live", *lines, host="evil.example")
        answer = await ask(serving.server.port, sent)
        assert answer is not None
        assert answer.status == 403
        assert (
            answer.problem["detail"] == "this service does not answer for the host 'evil.example'"
        )


async def origin(serving: Serving, text: str, *lines: str) -> int:
    sent = request("/api/v1/live", *HANDSHAKE, f"Origin: {text}", *lines, host="localhost:1")
    answer = await ask(serving.server.port, sent)
    assert answer is not None
    return answer.status


async def test_the_scheme_is_part_of_an_origin(serving: Serving) -> None:
    assert await origin(serving, "http://localhost:1") == 101
    for text in ("https://localhost:1", "http://localhost", "http://evil.example", "null", "[", ""):
        assert await origin(serving, text) == 403, text


async def test_the_public_page_may_open_a_socket(log: Log) -> None:
    settings = Settings(port=0, public_url="https://stats.example/page")
    async with Serving(log, FixedReader(), settings) as serving:
        assert await origin(serving, "https://stats.example") == 101
        assert await origin(serving, "http://stats.example") == 403


async def test_behind_a_named_proxy_the_scheme_is_the_visitors(log: Log) -> None:
    settings = Settings(port=0, trusted_proxies=("127.0.0.1",))
    async with Serving(log, FixedReader(), settings) as serving:
        assert await origin(serving, "https://localhost:1", "X-Forwarded-Proto: https") == 101
        assert await origin(serving, "http://localhost:1", "X-Forwarded-Proto: https") == 403
