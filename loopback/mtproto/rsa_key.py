"""The server's RSA key: made at start, kept in memory, shipped nowhere.

2048 bits as four primes (RFC 8017 allows more than two), because four small primes are found in a
fraction of the time of two big ones, and a demo should not wait for its key.
"""

import functools
import hashlib
import math
import secrets
import struct
from dataclasses import dataclass

import rsa
import rsa.prime

_EXPONENT = 65537
_PRIME_BITS = 512
_SMALL_PRIMES = math.prod(p for p in range(3, 2000) if all(p % d for d in range(2, p)))


@dataclass(frozen=True)
class RsaKey:
    n: int
    e: int
    d: int

    @property
    def public_pem(self) -> str:
        """PKCS#1, as clients take it."""
        pem: bytes = rsa.PublicKey(self.n, self.e).save_pkcs1("PEM")
        return pem.decode()

    @property
    def fingerprint(self) -> int:
        """As Telegram computes it: the last 64 bits of the SHA-1 of the serialised n and e."""
        digest = hashlib.sha1(_tl_bytes(self.n) + _tl_bytes(self.e)).digest()
        return int.from_bytes(digest[-8:], "little", signed=True)

    def decrypt(self, data: bytes) -> bytes:
        """The 256 bytes that the client raised to e."""
        return pow(int.from_bytes(data, "big"), self.d, self.n).to_bytes(256, "big")


@functools.cache
def process_key() -> RsaKey:
    """One key for all servers of this process, made when first asked for."""
    primes: set[int] = set()
    while len(primes) < 4:
        primes.add(_prime())
    return RsaKey(
        math.prod(primes), _EXPONENT, pow(_EXPONENT, -1, math.lcm(*(p - 1 for p in primes)))
    )


def _prime() -> int:
    while True:
        # Three leading ones, so that the product of four has all of its 2048 bits.
        number = secrets.randbits(_PRIME_BITS) | 0b111 << (_PRIME_BITS - 3) | 1
        if math.gcd(number, _SMALL_PRIMES) != 1 or pow(2, number - 1, number) != 1:
            continue
        if (number - 1) % _EXPONENT and rsa.prime.is_prime(number):
            return number


def _tl_bytes(number: int) -> bytes:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    head = bytes([len(data)]) if len(data) < 254 else struct.pack("<I", 254 | len(data) << 8)
    return head + data + bytes(-(len(head) + len(data)) % 4)
