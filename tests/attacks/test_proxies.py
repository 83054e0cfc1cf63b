"""Whoever is not named as a proxy is not believed."""

import logging

from api.addresses import Shared
from api.limits import Limits
from api.notices import Notices
from api.peers import Peers
from api.settings import Settings
from streams.log import Log
from streams.metrics import Metrics
from tests.api.reading import FixedReader
from tests.api.serving import Serving

KEY = "a-key-of-our-own"
WRONG = {"Authorization": "Bearer wrong", "X-Forwarded-For": "203.0.113.1"}


async def told_address(log: Log, proxies: tuple[str, ...], said: list[logging.LogRecord]) -> str:
    settings = Settings(port=0, api_key=KEY, trusted_proxies=proxies)
    async with Serving(log, FixedReader(), settings) as serving:
        assert (await serving.get("/healthz", WRONG)).status_code == 401
    return str(said[-1].__dict__["address"])


async def test_only_a_named_proxy_says_whose_request_it_is(
    log: Log, said: list[logging.LogRecord]
) -> None:
    assert await told_address(log, (), said) == "127.0.0.1"
    assert await told_address(log, ("10.0.0.0/8",), said) == "127.0.0.1"
    assert await told_address(log, ("127.0.0.0/8",), said) == "203.0.113.1"


async def test_an_unnamed_proxy_makes_no_cookie_secure(log: Log) -> None:
    async with Serving(log, FixedReader(), Settings(port=0, api_key=KEY)) as serving:
        https = {"X-Forwarded-Proto": "https"}
        answer = await serving.http.get("/healthz", auth=("me", KEY), headers=https)
        assert "Secure" not in answer.headers["set-cookie"]


def entered(address: str, proxies: tuple[str, ...]) -> int:
    """How many of 20 connections from one address find room."""
    limits = Limits(connections=100, per_address=5)
    peers = Peers(limits, Shared(proxies), Notices(), Metrics())
    return sum(peers.enter(address) is not None for _ in range(20))


def test_one_address_has_its_share_and_no_more() -> None:
    assert entered("203.0.113.1", ()) == 5
    assert entered("2001:db8::1", ()) == 5
    for shared in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert entered(shared, ()) == 20
    assert entered("203.0.113.1", ("203.0.113.0/24",)) == 20
    assert entered("2001:db8::1", ("2001:db8::/32",)) == 20
