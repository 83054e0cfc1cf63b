"""The steps of the key exchange, as a client that uses RSA_PAD takes them."""

import hashlib
import os

import cryptg
import pytest
from telethon.crypto import AuthKey
from telethon.crypto import rsa as telethon_rsa
from telethon.tl import functions, types

from loopback.mtproto import tl
from loopback.mtproto.errors import KeyExchangeError
from loopback.mtproto.key_exchange import DH_PRIME, KeyExchange
from loopback.mtproto.rsa_key import RsaKey, process_key

NONCE, NEW_NONCE = 123, 456
SERVER_TIME_S = 1_800_000_000


def rsa_pad(inner: bytes, key: RsaKey) -> bytes:
    """https://core.telegram.org/mtproto/auth_key#41-rsa-pad-data-server-public-key"""
    padded = inner + os.urandom(192 - len(inner))
    while True:
        temporary = os.urandom(32)
        hashed = padded[::-1] + hashlib.sha256(temporary + padded).digest()
        encrypted = cryptg.encrypt_ige(hashed, temporary, bytes(32))
        digest = hashlib.sha256(encrypted).digest()
        xored = bytes(a ^ b for a, b in zip(temporary, digest, strict=True))
        number = int.from_bytes(xored + encrypted, "big")
        if number < key.n:
            return pow(number, key.e, key.n).to_bytes(256, "big")


def start() -> tuple[KeyExchange, types.ResPQ]:
    exchange = KeyExchange(process_key)
    return exchange, exchange.answer(functions.ReqPqMultiRequest(NONCE), SERVER_TIME_S)


def request(said: types.ResPQ, encrypted: bytes) -> functions.ReqDHParamsRequest:
    fingerprint = said.server_public_key_fingerprints[0]
    return functions.ReqDHParamsRequest(
        NONCE, said.server_nonce, b"p", b"q", fingerprint, encrypted
    )


def inner(said: types.ResPQ, nonce: int = NONCE) -> bytes:
    return bytes(
        types.PQInnerDataDc(said.pq, b"p", b"q", nonce, said.server_nonce, NEW_NONCE, dc=2)
    )


def temporary_key(server_nonce: int) -> tuple[bytes, bytes]:
    new = NEW_NONCE.to_bytes(32, "little")
    server = server_nonce.to_bytes(16, "little", signed=True)
    mixed = hashlib.sha1(server + new).digest()
    key = hashlib.sha1(new + server).digest() + mixed[:12]
    return key, mixed[12:] + hashlib.sha1(new + new).digest() + new[:4]


def test_rsa_pad_leads_to_a_common_key() -> None:
    exchange, said = start()
    offer = exchange.answer(request(said, rsa_pad(inner(said), process_key())), SERVER_TIME_S)
    key = temporary_key(said.server_nonce)
    theirs = tl.read(cryptg.decrypt_ige(offer.encrypted_answer, *key)[20:])
    assert (theirs.server_time, theirs.g) == (SERVER_TIME_S, 3)

    b = int.from_bytes(os.urandom(256), "big")
    g_b = pow(3, b, DH_PRIME).to_bytes(256, "big")
    mine = bytes(types.ClientDHInnerData(NONCE, said.server_nonce, 0, g_b))
    plain = hashlib.sha1(mine).digest() + mine
    plain += bytes(-len(plain) % 16)
    finish = functions.SetClientDHParamsRequest(
        NONCE, said.server_nonce, cryptg.encrypt_ige(plain, *key)
    )
    done = exchange.answer(finish, SERVER_TIME_S)

    common = pow(int.from_bytes(theirs.g_a, "big"), b, DH_PRIME).to_bytes(256, "big")
    assert exchange.auth_key == common
    assert done.new_nonce_hash1 == AuthKey(common).calc_new_nonce_hash(NEW_NONCE, 1)


def test_padding_that_is_neither_scheme_is_refused() -> None:
    exchange, said = start()
    with pytest.raises(KeyExchangeError, match="neither"):
        exchange.answer(request(said, bytes(255) + b"\x05"), SERVER_TIME_S)


@pytest.mark.parametrize("half", [b"short", bytes(32), bytes(336)])
def test_damaged_half_is_refused(half: bytes) -> None:
    exchange, said = start()
    exchange.answer(request(said, rsa_pad(inner(said), process_key())), SERVER_TIME_S)
    finish = functions.SetClientDHParamsRequest(NONCE, said.server_nonce, half)
    with pytest.raises(KeyExchangeError, match="half"):
        exchange.answer(finish, SERVER_TIME_S)


def test_nonces_of_another_exchange_are_refused() -> None:
    exchange, said = start()
    encrypted = rsa_pad(inner(said, nonce=NONCE + 1), process_key())
    with pytest.raises(KeyExchangeError, match="nonces"):
        exchange.answer(request(said, encrypted), SERVER_TIME_S)


def test_step_out_of_order_is_refused() -> None:
    exchange = KeyExchange(process_key)
    with pytest.raises(KeyExchangeError, match="unexpected SetClientDHParams"):
        exchange.answer(functions.SetClientDHParamsRequest(NONCE, 1, b""), SERVER_TIME_S)


def test_key_is_2048_bits_and_known_by_the_clients_fingerprint() -> None:
    key = process_key()
    assert key.n.bit_length() == 2048
    assert key is process_key()
    telethon_rsa.add_key(key.public_pem, old=False)
    assert key.fingerprint in telethon_rsa._server_keys
    message = os.urandom(200)
    encrypted = pow(int.from_bytes(message, "big"), key.e, key.n).to_bytes(256, "big")
    assert key.decrypt(encrypted).endswith(message)
