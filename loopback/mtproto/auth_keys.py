"""Authorisation keys the server knows, and what it remembers of each.

A reconnecting client says nothing of itself but its key, so the layer, the account and whether it
wants updates belong to the key, not to a connection.
"""

import hashlib
import os
from typing import Any


class AuthKey:
    """256 bytes shared with one client, and what is known of that client."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 256:
            raise ValueError(f"an authorisation key has 256 bytes, not {len(key)}")
        self.key = key
        digest = hashlib.sha1(key).digest()
        self.key_id = digest[-8:]
        self.salt = _random_long()
        self.user_id: int | None = None
        self.layer: int | None = None
        #: From the client's initConnection; None before it.
        self.device: Any = None
        #: Whether it has made a call that asks for updates.
        self.wants_updates = False

    def rotate_salt(self) -> None:
        """From now on a message with the old salt is answered with `bad_server_salt`."""
        self.salt = _random_long()


class AuthKeys:
    def __init__(self) -> None:
        self._by_id: dict[bytes, AuthKey] = {}

    def add(self, key: bytes, user_id: int | None = None) -> AuthKey:
        auth_key = AuthKey(key)
        auth_key.user_id = user_id
        return self._by_id.setdefault(auth_key.key_id, auth_key)

    def find(self, key_id: bytes) -> AuthKey | None:
        return self._by_id.get(key_id)

    def sign_out(self, user_id: int) -> None:
        for auth_key in self._by_id.values():
            if auth_key.user_id == user_id:
                auth_key.user_id = None

    def rotate_salts(self) -> None:
        for auth_key in self._by_id.values():
            auth_key.rotate_salt()


def _random_long() -> int:
    return int.from_bytes(os.urandom(8), "little", signed=True)
