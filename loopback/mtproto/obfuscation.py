"""Transport obfuscation: both directions of a connection XORed with AES-256-CTR.

https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
"""

import hashlib
from typing import NamedTuple

import cryptg

HEADER_BYTES = 64
_BLOCK = 16
#: IGE of a single block with two zero vectors is the bare block cipher.
_NO_IV = bytes(2 * _BLOCK)


class CounterCipher:
    """AES-256-CTR as a stream: `apply` enciphers or deciphers the next bytes."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._key = key
        self._counter = int.from_bytes(iv, "big")
        self._left = b""

    def apply(self, data: bytes) -> bytes:
        stream = self._left
        missing = -(-(len(data) - len(stream)) // _BLOCK)
        if missing > 0:
            stream += b"".join(self._block() for _ in range(missing))
        self._left = stream[len(data) :]
        pad = int.from_bytes(stream[: len(data)], "big")
        return (int.from_bytes(data, "big") ^ pad).to_bytes(len(data), "big")

    def _block(self) -> bytes:
        plain = self._counter.to_bytes(_BLOCK, "big")
        self._counter = (self._counter + 1) % (1 << 128)
        return cryptg.encrypt_ige(plain, self._key, _NO_IV)


class Obfuscation(NamedTuple):
    """The parameters in a client's 64-byte header."""

    #: The tag of the inner transport: its first byte, repeated.
    tag: bytes
    incoming: CounterCipher
    outgoing: CounterCipher


def read_header(header: bytes, secret: bytes | None = None) -> Obfuscation:
    """`secret`: the 16-byte secret of a server that acts as an MTProxy."""
    reverse = header[8:56][::-1]
    incoming = CounterCipher(_key(header[8:40], secret), header[40:56])
    outgoing = CounterCipher(_key(reverse[:32], secret), reverse[32:])
    return Obfuscation(incoming.apply(header)[56:60], incoming, outgoing)


def _key(part: bytes, secret: bytes | None) -> bytes:
    return part if secret is None else hashlib.sha256(part + secret).digest()
