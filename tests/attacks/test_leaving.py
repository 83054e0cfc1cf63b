"""Clients that go in the middle of something are no errors."""

from api.live_socket import PARAMETERS
from tests.api.serving import Serving, put, summary, until
from tests.attacks.knocking import HANDSHAKE, Callers, request


async def test_sockets_that_are_dropped_while_they_are_sent_to(
    serving: Serving, callers: Callers
) -> None:
    """Those in the middle of their handshake, their snapshot, and of changes."""
    assert PARAMETERS == ("channels", "resume")
    for turn in range(10):
        some = [await callers.connect(serving.server.port, takes_bytes=4_096) for _ in range(8)]
        for caller in some:
            caller.say(request("/api/v1/live", *HANDSHAKE))
        for caller in some[:3]:
            await caller.leave()
        await put(serving.log, *[summary("x" * 100_000, at_ms=turn * 9 + n) for n in range(3)])
        for caller in some[3:6]:
            await caller.reader.readline()
            await caller.leave()
        await put(serving.log, summary("last", at_ms=turn * 9 + 8))
        for caller in some:
            await caller.leave()
    await until(lambda: len(serving.live.hub) == 0)
    await until(lambda: len(serving.server.peers) == 0)


async def test_requests_and_streams_that_are_dropped(serving: Serving, callers: Callers) -> None:
    for path in ("/api/v1/channels", "/api/v1/taps/stream", "/", "/metrics"):
        for _ in range(5):
            caller = await callers.connect(serving.server.port)
            caller.say(request(path))
            await caller.leave()
            caller = await callers.connect(serving.server.port)
            caller.say(request(path))
            await caller.reader.readline()
            await caller.leave()
    await until(lambda: len(serving.server.peers) == 0)
    assert (await serving.get("/healthz")).status_code == 200
