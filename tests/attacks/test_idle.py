"""Connections that take their time."""

import asyncio
import logging
import socket
from pathlib import Path

from api.addresses import Shared
from api.limits import Limits
from api.notices import Notices
from api.peers import Peers
from api.settings import Settings
from streams.log import Log
from streams.metrics import Metrics
from tests.api.reading import FixedReader
from tests.api.serving import Serving, put, summary, until
from tests.attacks.knocking import Callers, ask, request
from tests.patience import PATIENCE_S

QUICK = Limits(head_s=0.2, idle_s=1, body_s=0.2, stall_s=0.2, linger_s=0.2)


def serve(log: Log, limits: Limits = QUICK, static: Path | None = None) -> Serving:
    settings = Settings(port=0, limits=limits)
    if static is not None:
        settings = Settings(port=0, limits=limits, static_dir=static)
    return Serving(log, FixedReader(), settings)


def dropped(serving: Serving, reason: str) -> float:
    labels = {"stage": "api", "reason": reason}
    return serving.metrics.registry.get_sample_value("analyticbot_dropped_total", labels) or 0


async def test_a_connection_that_says_nothing_is_closed(log: Log, callers: Callers) -> None:
    async with serve(log) as serving:
        caller = await callers.connect(serving.server.port)
        assert await caller.all() == b""
        assert dropped(serving, "slow_head") == 1


async def test_half_a_head_is_answered_and_closed_though_bytes_keep_coming(
    log: Log, callers: Callers
) -> None:
    async with serve(log) as serving:
        caller = await callers.connect(serving.server.port)
        caller.say(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        for number in range(3):
            caller.say(f"X-{number}: slow\r\n".encode())
        answer = await caller.answer()
        assert answer.status == 408
        assert answer.problem["detail"] == "the head of the request took too long"
        await caller.closed()


async def test_half_a_second_head_is_answered_too(log: Log, callers: Callers) -> None:
    async with serve(log) as serving:
        caller = await callers.connect(serving.server.port)
        caller.say(request())
        assert (await caller.answer()).status == 200
        caller.say(b"GET /healthz HTT")
        assert (await caller.answer()).status == 408
        await caller.closed()


async def test_a_connection_kept_open_is_closed_without_a_word(
    log: Log, said: list[logging.LogRecord], callers: Callers
) -> None:
    async with serve(log) as serving:
        caller = await callers.connect(serving.server.port)
        caller.say(request())
        assert (await caller.answer()).status == 200
        assert await caller.all() == b""
    assert not said


async def test_our_limit_alone_ends_a_connection_that_is_kept_open(
    log: Log, callers: Callers
) -> None:
    async with serve(log, Limits(idle_s=0.9)) as serving:
        caller = await callers.connect(serving.server.port)
        for _ in range(3):
            caller.say(request())
            assert (await caller.answer()).status == 200
            await asyncio.sleep(0)


async def test_an_open_socket_outlives_every_limit_of_a_request(log: Log, callers: Callers) -> None:
    async with serve(log) as serving, serving.connect() as socket:
        await socket.recv()
        # What begins later and has no more time is closed by then.
        head = await callers.connect(serving.server.port)
        assert await head.all() == b""
        body = await callers.connect(serving.server.port)
        body.say(b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
        await body.all()
        await put(serving.log, summary("Still here"))
        async with asyncio.timeout(PATIENCE_S):
            while b"Still here" not in (await socket.recv(decode=False)):
                pass
        assert dropped(serving, "slow_body") <= 1


async def test_a_body_that_does_not_end_is_not_waited_for(log: Log, callers: Callers) -> None:
    async with serve(log) as serving:
        caller = await callers.connect(serving.server.port)
        caller.say(request("/healthz", "Transfer-Encoding: chunked", method="POST"))
        caller.say(b"1\r\na\r\n")
        assert (await caller.answer()).status == 405
        await caller.closed()
        assert dropped(serving, "slow_body") == 1


async def test_a_body_beyond_the_limit_is_refused_unread(log: Log, callers: Callers) -> None:
    async with serve(log) as serving:
        port = serving.server.port
        large = await ask(port, request("/healthz", "Content-Length: 1048577", method="POST"))
        assert large is not None
        assert large.status == 413
        assert large.problem["detail"] == "the body exceeds 1,048,576 bytes"


async def test_a_get_carries_no_body(log: Log, callers: Callers) -> None:
    async with serve(log) as serving:
        port = serving.server.port
        named = await ask(port, request("/healthz", "Content-Length: 1") + b"x")
        chunked = request("/healthz", "Transfer-Encoding: chunked")
        empty = await ask(port, chunked + b"0\r\n\r\n")
        assert named is not None
        assert named.status == 413
        assert empty is not None
        assert empty.status == 200
        many = await callers.connect(port)
        many.say(request("/api/v1/taps/stream", "Transfer-Encoding: chunked"))
        for _ in range(3_000):
            many.say(b"1\r\nx\r\n")
        await many.closed()


async def test_a_page_that_is_not_read_is_given_up(
    log: Log, tmp_path: Path, callers: Callers
) -> None:
    (tmp_path / "large.bin").write_bytes(b"x" * 30_000_000)
    async with serve(log, static=tmp_path) as serving:
        caller = await callers.connect(serving.server.port, takes_bytes=4_096)
        caller.say(request("/large.bin"))
        await until(lambda: dropped(serving, "stalled") == 1)


async def test_a_page_that_is_read_slowly_is_read_whole(
    log: Log, tmp_path: Path, callers: Callers
) -> None:
    """It takes longer than the limit, and something is taken all the time."""
    (tmp_path / "large.bin").write_bytes(b"x" * 30_000_000)
    limits = Limits(stall_s=5, idle_s=1)
    async with serve(log, limits, tmp_path) as serving:
        caller = await callers.connect(serving.server.port, takes_bytes=65_536)
        caller.say(request("/large.bin"))
        assert len((await caller.answer()).body) == 30_000_000
        assert dropped(serving, "stalled") == 0


async def test_those_who_wait_make_room_for_those_who_ask(
    log: Log, said: list[logging.LogRecord], callers: Callers
) -> None:
    async with serve(log, Limits(connections=8, head_s=30)) as serving:
        for _ in range(40):
            await callers.connect(serving.server.port)
        answer = await ask(serving.server.port, request())
        assert answer is not None
        assert answer.status == 200
        assert dropped(serving, "displaced") == 33
        assert [record.__dict__["count"] for record in said] == [1]
    assert sum(record.__dict__["count"] for record in said) == 33


async def test_where_all_are_at_work_others_are_told_to_come_later(
    log: Log, callers: Callers
) -> None:
    async with serve(log, Limits(connections=4)) as serving:
        port = serving.server.port
        streams = [await callers.connect(port) for _ in range(4)]
        for stream in streams:
            stream.say(request("/api/v1/taps/stream"))
            assert b"200 OK" in await stream.reader.readline()
        for _ in range(40):
            other = await ask(port, request())
            assert other is not None
            assert other.status == 503
            assert other.headers["retry-after"] == "5"
            assert other.problem["detail"] == "there are too many connections: try again later"
        with socket.create_connection(("127.0.0.1", port)) as early:
            # The request is there before the connection is accepted.
            early.sendall(request("/" + "x" * 8_000))
            early.setblocking(False)
            loop = asyncio.get_running_loop()
            said = b""
            while part := await loop.sock_recv(early, 65_536):
                said += part
        assert said.startswith(b"HTTP/1.1 503 ")
        await streams.pop().leave()
        await until(lambda: len(serving.server.peers) == 3)
        again = await ask(port, request())
        assert again is not None
        assert again.status == 200


async def test_a_stream_that_is_not_read_is_given_up(log: Log, callers: Callers) -> None:
    async with serve(log) as serving:
        await put(log, *[summary("x" * 400_000, at_ms=number) for number in range(30)])
        caller = await callers.connect(serving.server.port, takes_bytes=4_096)
        caller.say(request("/api/v1/taps/stream?since=1970-01-01T00:00:00Z"))
        await until(lambda: dropped(serving, "stalled") == 1)
        await until(lambda: len(serving.server.peers) == 0)


class _Answering:
    """A connection that keeps why it was given up."""

    def __init__(self) -> None:
        self.gave_up: list[str] = []

    def give_up(self, reason: str) -> None:
        self.gave_up.append(reason)


def test_a_pause_of_the_server_is_not_the_clients_time() -> None:
    """SIGSTOP, a snapshot of the machine, a loop that was busy: what was sent meanwhile waits."""
    limits = Limits(head_s=10)
    peers = Peers(limits, Shared(()), Notices(), Metrics())
    peer, connection = peers.enter("127.0.0.1"), _Answering()
    assert peer is not None
    peer.protocol = connection
    peers.sweep(0)
    peer.wait("head", limits.head_s)
    peers.sweep(1)
    peers.sweep(100)
    assert connection.gave_up == []
    for second in range(101, 108):
        peers.sweep(second)
    assert connection.gave_up == ["head"]
    assert peers.now_s == 10
