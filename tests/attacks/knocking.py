"""Raw connections, for what no client library would send."""

import asyncio
import contextlib
import re
import socket
from typing import Any, NamedTuple

import msgspec

from tests.patience import PATIENCE_S


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = msgspec.json.decode(self.body)
        return problem


class Caller:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connected(cls, port: int, *, takes_bytes: int | None = None) -> "Caller":
        """`takes_bytes`: the kernel's buffer, for who is to be slow."""
        loop = asyncio.get_running_loop()
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        raw.setblocking(False)
        if takes_bytes is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes_bytes)
        await loop.sock_connect(raw, ("127.0.0.1", port))
        limit = takes_bytes or 2**20
        reader, writer = await asyncio.open_connection(sock=raw, limit=limit)
        return cls(reader, writer)

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def all(self) -> bytes:
        """Whatever comes until the server closes."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def answer(self) -> Answer:
        """The next answer; the server may keep the connection open."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"(?i)content-length: (\d+)", head)
            body = await self.reader.readexactly(int(found[1]) if found else 0)
        return _parsed(head, body)

    async def closed(self) -> None:
        """Waits until the server closes."""
        await self.all()

    async def leave(self) -> None:
        """At once, whatever is under way."""
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


class Callers:
    """All connections of a test: whoever has not left at its end leaves then."""

    def __init__(self) -> None:
        self._all: list[Caller] = []

    async def connect(self, port: int, *, takes_bytes: int | None = None) -> Caller:
        caller = await Caller.connected(port, takes_bytes=takes_bytes)
        self._all.append(caller)
        return caller

    async def leave(self) -> None:
        for caller in self._all:
            await caller.leave()


def request(
    target: str | bytes = "/healthz",
    *lines: str | bytes,
    method: str = "GET",
    host: str = "localhost",
) -> bytes:
    """A head with these further lines."""
    all_lines = [_bytes(method) + b" " + _bytes(target) + b" HTTP/1.1", f"Host: {host}", *lines]
    return b"\r\n".join(map(_bytes, all_lines)) + b"\r\n\r\n"


HANDSHAKE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


async def ask(port: int, sent: bytes) -> Answer | None:
    """One connection, one request; None where it was closed without an answer."""
    caller = await Caller.connected(port)
    caller.say(sent)
    try:
        return await caller.answer()
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    finally:
        await caller.leave()


def _parsed(head: bytes, body: bytes) -> Answer:
    first, *rest = head.decode("latin-1").rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    return Answer(int(first.split()[1]), headers, body)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")
