"""Handshakes of the live socket that are none, or too much: each is answered 4xx and closed."""

import pytest

from api.messages import Snapshot
from tests.api.serving import Serving, next_of, put, summary
from tests.attacks.knocking import HANDSHAKE, Callers, request

SOCKET = "/api/v1/live"
A_LINE = "x" * 8_200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(f"{SOCKET}?resume={A_LINE}", *HANDSHAKE), 414),
        (request(SOCKET, *HANDSHAKE, f"Cookie: {A_LINE}"), 431),
        (request(SOCKET, *HANDSHAKE, *(f"X-{n}: x" for n in range(150))), 431),
        (request(SOCKET, *HANDSHAKE, *(f"X-{n}: {'x' * 900}" for n in range(40))), 431),
        (request(SOCKET, *HANDSHAKE, method="POST"), 400),
        (request(SOCKET, *HANDSHAKE).replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
        (request(SOCKET, *HANDSHAKE[:2]), 400),
        (request(SOCKET, *HANDSHAKE[:2], *HANDSHAKE[3:], "Sec-WebSocket-Version: 7"), 400),
        (request(SOCKET, *HANDSHAKE[:3], "Sec-WebSocket-Key: short"), 400),
        (request("/api/v1/elsewhere", *HANDSHAKE), 403),
        (request(SOCKET), 426),
    ],
)
async def test_it_is_answered_and_closed(
    serving: Serving, callers: Callers, sent: bytes, status: int
) -> None:
    caller = await callers.connect(serving.server.port)
    caller.say(sent)
    assert (await caller.answer()).status == status
    if b"Upgrade" in sent:
        await caller.closed()


async def test_why_is_told(serving: Serving, callers: Callers) -> None:
    caller = await callers.connect(serving.server.port)
    caller.say(request(SOCKET, *HANDSHAKE, f"Cookie: {A_LINE}"))
    assert (await caller.answer()).problem["detail"] == "the header cookie exceeds 8,190 bytes"


async def test_what_is_no_frame_ends_the_socket_without_an_error(
    serving: Serving, callers: Callers
) -> None:
    for sent in (b"\xff" * 50, b"\x81\x05hello", b"\x89\xfe\xff\xff", b"\x81\x82\0\0\0\0\xff\xff"):
        caller = await callers.connect(serving.server.port)
        caller.say(request(SOCKET, *HANDSHAKE))
        assert (await caller.answer()).status == 101
        caller.say(sent)
        await put(serving.log, summary("One"))
        await caller.closed()


async def test_pings_that_are_not_taken_back_are_not_piled_up(
    serving: Serving, callers: Callers
) -> None:
    caller = await callers.connect(serving.server.port, takes_bytes=4_096)
    caller.say(request(SOCKET, *HANDSHAKE))
    assert (await caller.answer()).status == 101
    # A masked ping of 125 bytes; the answers are never read.
    caller.say((b"\x89\xfd\0\0\0\0" + b"x" * 125) * 40_000)
    async with serving.connect() as socket:
        await next_of(socket, Snapshot)
    unsent = [peer.unsent() for peer in serving.server.peers.all()]
    assert max(unsent, default=0) < 1_000_000
