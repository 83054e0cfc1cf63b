"""The authorisation keys that the server knows, with the state of each.

A reconnecting client sends nothing but its key id, so the layer, the account and whether the client
wants updates belong to the key, not to a connection.
"""

import hashlib
import os
from typing import Any


class AuthKey:
    """256 bytes shared with one client, and the state of that client."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 256:
            raise ValueError(f"an authorisation key has 256 bytes, not {len(key)}")
        self.key = key
        digest = hashlib.sha1(key).digest()
        self.key_id = digest[-8:]
        self.salt = _random_long()
        self.user_id: int | None = None
        self.layer: int | None = None
        #: The client's initConnection; None before it.
        self.device: Any = None
        #: Whether the client has made a call that subscribes to updates.
        self.wants_updates = False

    def rotate_salt(self) -> None:
        """Makes messages with the old salt get `bad_server_salt` from now on."""
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
