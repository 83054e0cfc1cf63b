"""Serialises TL objects by the classes that Telethon generates from Telegram's schema.

The client's classes keep the server on the client's layer after every upgrade of Telethon. They
cannot reveal errors that both sides share; a test with a second client does.
"""

import gzip
import struct
import zlib
from typing import Any

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl.alltlobjects import LAYER

from loopback.mtproto.errors import DamagedMessage

__all__ = ["GZIP_PACKED", "LAYER", "MSG_CONTAINER", "boxed", "gzipped", "read", "unzipped"]

#: An instance of one of Telethon's generated classes.
TLObject = Any

GZIP_PACKED = 0x3072CFA1
MSG_CONTAINER = 0x73F1F8DC
_VECTOR = 0x1CB5C415
_TRUE = 0x997275B5
_FALSE = 0xBC799737
#: Below this size, compression costs more than it saves.
_GZIP_FROM_BYTES = 1024
_MAX_UNZIPPED_BYTES = 1 << 24
#: zlib's number for a gzip header.
_GZIP_WBITS = 31


def read(data: bytes) -> TLObject:
    """The object at the start of `data`. Raises DamagedMessage."""
    try:
        return BinaryReader(data).tgread_object()
    except (TypeNotFoundError, BufferError, RuntimeError, struct.error, IndexError) as exc:
        raise DamagedMessage(f"no TL object: {exc}") from exc


def boxed(value: TLObject) -> bytes:
    """The bytes of a result in `rpc_result`: an object, a Bool, or a Vector of objects."""
    if isinstance(value, bool):
        return struct.pack("<I", _TRUE if value else _FALSE)
    if isinstance(value, list):
        return struct.pack("<Ii", _VECTOR, len(value)) + b"".join(boxed(item) for item in value)
    return bytes(value)


def gzipped(body: bytes) -> bytes:
    """`body`, or its `gzip_packed` form if that is shorter."""
    if len(body) < _GZIP_FROM_BYTES:
        return body
    packed = gzip.compress(body, compresslevel=1)
    head = struct.pack("<IB", GZIP_PACKED, 254) + len(packed).to_bytes(3, "little")
    padding = bytes(-len(packed) % 4)
    size = len(head) + len(packed) + len(padding)
    return head + packed + padding if size < len(body) and len(packed) < 1 << 24 else body


def unzipped(body: bytes) -> bytes:
    """The inverse of `gzipped`. Raises DamagedMessage."""
    if int.from_bytes(body[:4], "little") != GZIP_PACKED:
        return body
    if len(body) < 8:
        raise DamagedMessage("gzip_packed without data")
    long = body[4] == 254
    size = int.from_bytes(body[5:8], "little") if long else body[4]
    start = 8 if long else 5
    stream = zlib.decompressobj(wbits=_GZIP_WBITS)
    try:
        plain = stream.decompress(body[start : start + size], _MAX_UNZIPPED_BYTES)
    except zlib.error as exc:
        raise DamagedMessage("gzip_packed does not unpack") from exc
    if not stream.eof:
        raise DamagedMessage("gzip_packed ends early, or unpacks to too much")
    return plain
