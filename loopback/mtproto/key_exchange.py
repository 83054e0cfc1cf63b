"""The exchange of an authorisation key: https://core.telegram.org/mtproto/auth_key.

Clients verify the owner of the RSA key by one of two schemes: the old one (SHA-1, data, padding;
Telethon and Pyrogram still use it) or RSA_PAD.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from typing import Any

import cryptg
from telethon.tl import functions, types

from loopback.mtproto import tl
from loopback.mtproto.errors import DamagedMessage, KeyExchangeError
from loopback.mtproto.rsa_key import RsaKey

#: Telegram's published 2048-bit safe prime; clients may refuse any other.
DH_PRIME = int(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F"
    "48198A0AA7C14058229493D22530F4DBFA336F6E0AC925139543AED44CCE7C37"
    "20FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64"
    "2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4"
    "A4A695811051907E162753B56B0F6B410DBA74D8A84B2A14B3144E0EF1284754"
    "FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4"
    "E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F"
    "0D8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B",
    16,
)
_GENERATOR = 3
#: The client must factor their product; with 31 bits each that takes little time.
_P, _Q = 1229739323, 1402015859
_PQ_INNER = (types.PQInnerData, types.PQInnerDataDc)


class KeyExchange:
    """The exchange of one connection, in three steps."""

    def __init__(self, rsa_key: Callable[[], RsaKey]) -> None:
        self._make_rsa_key = rsa_key
        self._nonce = 0
        self._server_nonce = 0
        self._new_nonce = 0
        self._a = 0
        #: The authorisation key, after the last step.
        self.auth_key: bytes | None = None

    @property
    def _rsa_key(self) -> RsaKey:
        return self._make_rsa_key()

    def answer(self, request: Any, server_time_s: int) -> Any:
        """The answer to one step; None if it needs none. Raises KeyExchangeError."""
        match request:
            case functions.ReqPqMultiRequest() | functions.ReqPqRequest():
                return self._start(request)
            case functions.ReqDHParamsRequest() if request.server_nonce == self._server_nonce:
                return self._offer(request, server_time_s)
            case functions.SetClientDHParamsRequest() if self._a:
                return self._finish(request)
            case types.MsgsAck():
                return None
            case _:
                raise KeyExchangeError(f"unexpected {type(request).__name__}")

    def _start(self, request: Any) -> Any:
        self._nonce = request.nonce
        self._server_nonce = int.from_bytes(os.urandom(16), "little", signed=True)
        pq = (_P * _Q).to_bytes(8, "big")
        return types.ResPQ(self._nonce, self._server_nonce, pq, [self._rsa_key.fingerprint])

    def _offer(self, request: Any, server_time_s: int) -> Any:
        if request.public_key_fingerprint != self._rsa_key.fingerprint:
            raise KeyExchangeError("encrypted for another key than ours")
        self._new_nonce = self._read_inner(request.encrypted_data).new_nonce
        # An exponent of 256 bits suffices: the best attack on the group is no cheaper.
        self._a = secrets.randbits(256) | 1 << 255
        g_a = pow(_GENERATOR, self._a, DH_PRIME)
        inner = types.ServerDHInnerData(
            self._nonce,
            self._server_nonce,
            _GENERATOR,
            DH_PRIME.to_bytes(256, "big"),
            g_a.to_bytes(256, "big"),
            server_time_s,
        )
        answer = _with_sha1(bytes(inner))
        answer += os.urandom(-len(answer) % 16)
        encrypted = cryptg.encrypt_ige(answer, *self._temporary_key())
        return types.ServerDHParamsOk(self._nonce, self._server_nonce, encrypted)

    def _finish(self, request: Any) -> Any:
        encrypted = request.encrypted_data
        if len(encrypted) % 16:
            raise KeyExchangeError(f"the client's half has {len(encrypted)} bytes")
        plain = cryptg.decrypt_ige(encrypted, *self._temporary_key())
        inner = _inner(plain[20:], types.ClientDHInnerData)
        if inner is None or not plain.startswith(_with_sha1(bytes(inner))):
            raise KeyExchangeError("the client's half is damaged")
        shared = pow(int.from_bytes(inner.g_b, "big"), self._a, DH_PRIME)
        self.auth_key = shared.to_bytes(256, "big")
        return types.DhGenOk(self._nonce, self._server_nonce, self._new_nonce_hash(1))

    def _new_nonce_hash(self, number: int) -> int:
        assert self.auth_key is not None
        aux_hash = hashlib.sha1(self.auth_key).digest()[:8]
        nonce = self._new_nonce.to_bytes(32, "little", signed=True)
        digest = hashlib.sha1(nonce + bytes([number]) + aux_hash).digest()
        return int.from_bytes(digest[4:], "little", signed=True)

    def _temporary_key(self) -> tuple[bytes, bytes]:
        new = self._new_nonce.to_bytes(32, "little", signed=True)
        server = self._server_nonce.to_bytes(16, "little", signed=True)
        first = hashlib.sha1(new + server).digest()
        second = hashlib.sha1(server + new).digest()
        third = hashlib.sha1(new + new).digest()
        return first + second[:12], second[12:] + third + new[:4]

    def _read_inner(self, encrypted: bytes) -> Any:
        raw = self._rsa_key.decrypt(encrypted)
        inner = _read_old_inner(raw) or _read_padded_inner(raw)
        if inner is None:
            raise KeyExchangeError("neither the old RSA scheme nor RSA_PAD")
        if (inner.nonce, inner.server_nonce) != (self._nonce, self._server_nonce):
            raise KeyExchangeError("nonces of another exchange")
        return inner


def _read_old_inner(raw: bytes) -> Any | None:
    """A zero byte, SHA-1 of the data, the data, padding."""
    inner = None if raw[0] else _inner(raw[21:], *_PQ_INNER)
    if inner is None or not raw[1:].startswith(_with_sha1(bytes(inner))):
        return None
    return inner


def _read_padded_inner(raw: bytes) -> Any | None:
    """RSA_PAD: the key XORed with a hash, then AES-IGE of the reversed data and its SHA-256."""
    key_xor, encrypted = raw[:32], raw[32:]
    key = _xor(key_xor, hashlib.sha256(encrypted).digest())
    plain = cryptg.decrypt_ige(encrypted, key, bytes(32))
    padded = plain[:192][::-1]
    if hashlib.sha256(key + padded).digest() != plain[192:]:
        return None
    return _inner(padded, *_PQ_INNER)


def _inner(data: bytes, *kinds: type) -> Any | None:
    """The object at the start of `data`, if it is of one of `kinds`."""
    try:
        inner = tl.read(data)
    except DamagedMessage:
        return None
    return inner if isinstance(inner, kinds) else None


def _with_sha1(data: bytes) -> bytes:
    return hashlib.sha1(data).digest() + data


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
