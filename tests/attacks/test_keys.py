"""Keys that can be guessed, and those who guess."""

import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api.addresses import origin_of
from api.guard import SESSION_S, is_session, session
from api.settings import Settings, UnsafeSettings
from api.tries import EVERY_S, PER_ADDRESS, TOTAL, Tries
from streams.log import Log
from tests.api.reading import FixedReader
from tests.api.serving import NOW_MS, Serving

KEY = "a-key-of-our-own"
NOW_S = NOW_MS // 1000


@pytest_asyncio.fixture
async def locked(log: Log) -> AsyncIterator[Serving]:
    settings = Settings(port=0, api_key=KEY, trusted_proxies=("127.0.0.1",))
    async with Serving(log, FixedReader(), settings) as serving:
        yield serving


@pytest.mark.parametrize(
    "key",
    ["a", " ", "a" * 15, "a" * 40, "abcabcabcabcabcabc", "with spaces in the key", "ключ" * 5],
)
def test_a_key_that_can_be_guessed_is_refused_at_start(key: str) -> None:
    with pytest.raises(UnsafeSettings, match=r"^ANALYTICBOT_API_KEY: .*openssl rand") as raised:
        Settings(api_key=key).check()
    assert "\n" not in str(raised.value)
    assert key not in str(raised.value) or len(key) == 1


async def status(locked: Serving, key: str, address: str) -> tuple[int, str | None]:
    headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": address}
    answer = await locked.get("/healthz", headers)
    locked.http.cookies.clear()
    return answer.status_code, answer.headers.get("retry-after")


async def test_who_guesses_is_told_to_wait_and_nobody_else(
    locked: Serving, said: list[logging.LogRecord]
) -> None:
    for _ in range(PER_ADDRESS):
        assert await status(locked, "wrong", "203.0.113.1") == (401, None)
    code, wait_s = await status(locked, "wrong", "203.0.113.1")
    assert code == 429
    assert 0 < int(wait_s or 0) <= EVERY_S
    assert (await status(locked, "wrong", "203.0.113.2"))[0] == 401
    assert (await status(locked, KEY, "203.0.113.2"))[0] == 200
    # Perhaps from behind the same address.
    assert (await status(locked, KEY, "203.0.113.1"))[0] == 200
    lines = [(record.__dict__["what"], record.__dict__["address"]) for record in said]
    assert lines == [("key", "203.0.113.1"), ("key", "203.0.113.2")]


async def test_who_gives_no_key_does_not_guess(locked: Serving) -> None:
    for _ in range(PER_ADDRESS + 5):
        assert (await locked.get("/healthz")).status_code == 401


def test_tries_are_counted_by_the_minute_from_one_address_and_in_total() -> None:
    tries = Tries()
    assert [tries.failed("a", 0) for _ in range(PER_ADDRESS)] == [None] * PER_ADDRESS
    assert tries.failed("a", 1) == EVERY_S - 1
    assert tries.failed("b", 1) is None
    assert tries.failed("a", EVERY_S) is None
    others = [tries.failed(str(number), EVERY_S) for number in range(TOTAL)]
    assert others[: TOTAL - 1] == [None] * (TOTAL - 1)
    assert others[-1] == EVERY_S


def test_an_ipv6_network_is_one_address() -> None:
    assert origin_of("2001:db8::1") == origin_of("2001:db8::ffff") == "2001:db8::/64"
    assert origin_of("2001:db8:0:1::1") != origin_of("2001:db8::1")
    assert origin_of("::ffff:203.0.113.1") == "203.0.113.1"
    assert origin_of("x" * 500) == "x" * 64


async def test_the_cookie_is_secure_where_the_page_is(locked: Serving) -> None:
    for scheme, secure in (("https", True), ("http", False)):
        forwarded = {"X-Forwarded-Proto": scheme}
        answer = await locked.http.get("/healthz", auth=("me", KEY), headers=forwarded)
        cookie = answer.headers["set-cookie"]
        assert ("; Secure" in cookie) is secure
        assert f"; Max-Age={SESSION_S};" in cookie
        assert "; HttpOnly; SameSite=Strict" in cookie


@pytest.mark.parametrize(
    "cookie",
    [
        session(KEY, NOW_S),
        session("another-key-of-ours", NOW_S + 9),
        session(KEY, NOW_S + 9).replace(str(NOW_S + 9), str(NOW_S + 99)),
        f"{NOW_S + 9}.",
        "",
        ".",
        "9" * 5_000,
        "²." + "0" * 64,
    ],
)
def test_a_session_ends_and_cannot_be_made_up(cookie: str) -> None:
    assert is_session(session(KEY, NOW_S + 9), KEY, NOW_S)
    assert not is_session(cookie, KEY, NOW_S)
