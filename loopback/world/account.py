"""An account of the loopback Telegram, the channels that it has joined, and its other dialogs."""

import hashlib

from loopback.world.others import Other
from streams.ids import ChannelId

#: Telegram's limit for accounts without a subscription.
MAX_JOINED = 500


class Account:
    def __init__(self, user_id: int, phone: str, first_name: str) -> None:
        self.user_id = user_id
        self.phone = phone
        self.first_name = first_name
        #: The joined channels, in the order of joining.
        self.joined: dict[ChannelId, None] = {}
        #: The last activity (ms) of the users, bots and basic groups among its dialogs.
        self.others: dict[Other, int] = {}

    @property
    def access_hash(self) -> int:
        return _hash(self.user_id, 0)

    def access_hash_of_person(self, user_id: int) -> int:
        return _hash(self.user_id, -user_id)

    def access_hash_of(self, channel_id: ChannelId) -> int:
        """The hash that this account, and no other, must send with the id of the channel."""
        return _hash(self.user_id, channel_id)


def _hash(user_id: int, thing_id: int) -> int:
    digest = hashlib.blake2b(f"{user_id}/{thing_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
