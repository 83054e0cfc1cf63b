"""Secrets at rest: sealed by one key, and opened with the same.

AES-256-GCM. What a secret belongs to is authenticated with it, so a sealed text that is moved to
another row does not open. Not for passwords of people: those are hashed.

    sealed:1:KEY:DATA    KEY tells keys apart without telling anything of them; DATA is the nonce
                         and the ciphertext, in URL-safe base64

    ControlError
    └── KeyUnavailable    there is no key to seal with, or it cannot be read
"""

import base64
import binascii
import hashlib
import os
import re
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from control.store import ControlError

PREFIX = "sealed:1:"
KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY = re.compile(r"[0-9a-fA-F]{64}")
#: What is sealed at all, so that two kinds of secret of one owner cannot be exchanged.
_DOMAIN = b"analyticbot key name"


class KeyUnavailable(ControlError): ...


class SealedOtherwise(Exception):
    """Another key sealed it, or it was altered."""


class Sealer:
    """Seals and opens with one key."""

    def __init__(self, key: bytes) -> None:
        """Raises ValueError unless `key` has KEY_BYTES."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(key)
        #: The same for the same key everywhere; it may be logged.
        self.name = hashlib.sha256(_DOMAIN + key).hexdigest()[:8]

    def seal(self, secret: str, owner: str) -> str:
        """Seal a secret; a new text each time."""
        nonce = os.urandom(_NONCE_BYTES)
        data = nonce + self._cipher.encrypt(nonce, secret.encode(), owner.encode())
        return f"{PREFIX}{self.name}:{base64.urlsafe_b64encode(data).decode()}"

    def opened(self, sealed: str, owner: str) -> str:
        """Open a sealed secret. Raises SealedOtherwise."""
        try:
            data = base64.urlsafe_b64decode(sealed.removeprefix(PREFIX).partition(":")[2])
            nonce, ciphertext = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, ciphertext, owner.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SealedOtherwise(f"key {self.name} does not open it") from error


class Key(Protocol):
    """The source of a process's key."""

    def to_open(self) -> Sealer | None:
        """The key; None without one. Raises KeyUnavailable for an invalid key."""

    def to_seal(self) -> Sealer:
        """The key, made if that is allowed. Raises KeyUnavailable."""


class GivenKey:
    """A key set by the operator."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(key)

    def to_open(self) -> Sealer:
        return self._sealer

    def to_seal(self) -> Sealer:
        return self._sealer


class NoKey:
    """No key is needed, for no secret is touched; who touches one is told what to do."""

    def __init__(self, advice: str = "no key was given") -> None:
        self._advice = advice

    def to_open(self) -> None:
        return None

    def to_seal(self) -> Sealer:
        raise KeyUnavailable(self._advice)


def is_sealed(text: str) -> bool:
    return text.startswith(PREFIX)


def key_name(sealed: str) -> str:
    """Of the key that sealed it: Sealer.name."""
    return sealed.removeprefix(PREFIX).partition(":")[0]


def parse_key(text: str) -> bytes:
    """A key as `openssl rand -hex 32` prints it. Raises ValueError, which does not repeat it."""
    if not _KEY.fullmatch(text):
        raise ValueError("use 64 hexadecimal digits, as `openssl rand -hex 32` prints them")
    return bytes.fromhex(text)
