"""One encrypted message: https://core.telegram.org/mtproto/description (MTProto 2.0)."""

import hashlib
import os
import struct
from typing import NamedTuple

import cryptg

from loopback.mtproto.errors import DamagedMessage

_HEAD = struct.Struct("<qqqii")
_CLIENT, _SERVER = 0, 8


class Sealed(NamedTuple):
    """The content of an encrypted packet."""

    salt: int
    session_id: int
    msg_id: int
    seqno: int
    body: bytes


def seal(auth_key: bytes, key_id: bytes, message: Sealed) -> bytes:
    """A packet from the server."""
    head = _HEAD.pack(*message[:4], len(message.body))
    plain = head + message.body
    plain += os.urandom(12 + -(len(plain) + 12) % 16)
    msg_key = _msg_key(auth_key, plain, _SERVER)
    return key_id + msg_key + cryptg.encrypt_ige(plain, *_key_and_iv(auth_key, msg_key, _SERVER))


def unseal(auth_key: bytes, packet: bytes) -> Sealed:
    """A packet from the client. Raises DamagedMessage."""
    msg_key, encrypted = packet[8:24], packet[24:]
    # A padded transport adds up to 15 bytes after the last block.
    encrypted = encrypted[: len(encrypted) // 16 * 16]
    if len(encrypted) < 48:
        raise DamagedMessage("too short for a message")
    plain = cryptg.decrypt_ige(encrypted, *_key_and_iv(auth_key, msg_key, _CLIENT))
    if _msg_key(auth_key, plain, _CLIENT) != msg_key:
        raise DamagedMessage("msg_key does not fit")
    salt, session_id, msg_id, seqno, size = _HEAD.unpack_from(plain)
    if not 0 <= size <= len(plain) - _HEAD.size - 12 or size % 4:
        raise DamagedMessage(f"a body of {size} bytes in {len(plain)}")
    return Sealed(salt, session_id, msg_id, seqno, plain[_HEAD.size : _HEAD.size + size])


def _msg_key(auth_key: bytes, plain: bytes, x: int) -> bytes:
    return hashlib.sha256(auth_key[88 + x : 120 + x] + plain).digest()[8:24]


def _key_and_iv(auth_key: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    a = hashlib.sha256(msg_key + auth_key[x : x + 36]).digest()
    b = hashlib.sha256(auth_key[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]
