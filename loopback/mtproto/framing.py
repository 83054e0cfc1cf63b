"""The TCP transports of MTProto, which delimit packets.

The client selects one by its first bytes: full, abridged, intermediate, padded intermediate, or one
of the last three within an obfuscation.
https://core.telegram.org/mtproto/mtproto-transports
"""

import asyncio
import os
import secrets
import struct
from typing import Protocol
from zlib import crc32

from loopback.mtproto.errors import FramingError
from loopback.mtproto.obfuscation import HEADER_BYTES, CounterCipher, read_header

#: A longer length is damage: our clients send no larger packets.
MAX_PACKET_BYTES = 1 << 24
_QUICK_ACK = 0x80000000


class Wire:
    """The incoming bytes of a connection, deciphered if the client uses obfuscation."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._cipher: CounterCipher | None = None

    def decipher(self, cipher: CounterCipher) -> None:
        self._cipher = cipher

    async def read(self, size: int) -> bytes:
        """Raises asyncio.IncompleteReadError if the connection ends before `size` bytes."""
        data = await self._reader.readexactly(size)
        return data if self._cipher is None else self._cipher.apply(data)


class Framing(Protocol):
    """The transport of one connection. `read` raises FramingError for invalid packets."""

    async def read(self) -> bytes: ...

    def frame(self, payload: bytes) -> bytes: ...

    def error(self, code: int) -> bytes:
        """A transport error: four bytes instead of a message."""


class Full:
    """Length, number, payload, CRC-32."""

    def __init__(self, wire: Wire, head: bytes) -> None:
        self._wire = wire
        self._head: bytes | None = head
        self._sent = 0

    async def read(self) -> bytes:
        head = self._head or await self._wire.read(8)
        self._head = None
        body = await self._wire.read(_checked(int.from_bytes(head[:4], "little")) - 8)
        if int.from_bytes(body[-4:], "little") != crc32(head + body[:-4]):
            raise FramingError("a full packet's checksum is wrong")
        return body[:-4]

    def frame(self, payload: bytes) -> bytes:
        packet = struct.pack("<ii", len(payload) + 12, self._sent) + payload
        self._sent += 1
        return packet + struct.pack("<I", crc32(packet))

    def error(self, code: int) -> bytes:
        """Telegram was seen to send -429 without a frame: three times the code."""
        return struct.pack("<iii", code, code, code) if code == -429 else self.frame(_int32(code))


class Abridged:
    """Length in words of four bytes, in one byte or four."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def read(self) -> bytes:
        words = (await self._wire.read(1))[0] & 0x7F
        if words == 0x7F:
            words = int.from_bytes(await self._wire.read(3), "little")
        return await self._wire.read(_checked(words * 4))

    def frame(self, payload: bytes) -> bytes:
        words = len(payload) // 4
        if words < 0x7F:
            return bytes([words]) + payload
        return b"\x7f" + words.to_bytes(3, "little") + payload

    def error(self, code: int) -> bytes:
        return self.frame(_int32(code))


class Intermediate:
    """Length in four bytes.

    Padded: random bytes follow the payload, up to 15 from a client, at most 3 from a server,
    because clients truncate packets to whole words.
    """

    def __init__(self, wire: Wire, *, padded: bool = False) -> None:
        self._wire = wire
        self._padded = padded

    async def read(self) -> bytes:
        size = int.from_bytes(await self._wire.read(4), "little") & ~_QUICK_ACK
        return await self._wire.read(_checked(size))

    def frame(self, payload: bytes) -> bytes:
        if self._padded:
            payload += os.urandom(secrets.randbelow(4))
        return _int32(len(payload)) + payload

    def error(self, code: int) -> bytes:
        # Never padded: its size distinguishes it from a message.
        return _int32(4) + _int32(code)


class Obfuscated:
    """Another transport, with its bytes enciphered."""

    def __init__(self, inner: Framing, cipher: CounterCipher) -> None:
        self._inner = inner
        self._cipher = cipher

    async def read(self) -> bytes:
        return await self._inner.read()

    def frame(self, payload: bytes) -> bytes:
        return self._cipher.apply(self._inner.frame(payload))

    def error(self, code: int) -> bytes:
        return self._cipher.apply(self._inner.error(code))


async def detect(reader: asyncio.StreamReader, secret: bytes | None = None) -> Framing:
    """Reads the client's first bytes; returns its transport. Raises FramingError.

    With a `secret`, accepts an MTProxy header only.
    """
    wire = Wire(reader)
    start = await wire.read(1)
    if secret is None and start == b"\xef":
        return Abridged(wire)
    start += await wire.read(3)
    if secret is None and start in (b"\xee" * 4, b"\xdd" * 4):
        return _by_tag(start, wire)
    start += await wire.read(4)
    if secret is None and start[4:] == bytes(4):
        return Full(wire, start)
    header = read_header(start + await wire.read(HEADER_BYTES - len(start)), secret)
    wire.decipher(header.incoming)
    return Obfuscated(_by_tag(header.tag, wire), header.outgoing)


def _by_tag(tag: bytes, wire: Wire) -> Framing:
    if tag == b"\xef" * 4:
        return Abridged(wire)
    if tag in (b"\xee" * 4, b"\xdd" * 4):
        return Intermediate(wire, padded=tag == b"\xdd" * 4)
    raise FramingError(f"unknown transport {tag.hex()}")


def _int32(number: int) -> bytes:
    return struct.pack("<i", number)


def _checked(size: int) -> int:
    if not 4 <= size <= MAX_PACKET_BYTES:
        raise FramingError(f"a packet of {size} bytes")
    return size
