"""An account of the loopback Telegram, the channels it has joined, and whom else it talks to."""

import hashlib

from loopback.world.others import Other
from streams.ids import ChannelId

#: Telegram's limit for accounts that do not pay.
MAX_JOINED = 500


class Account:
    def __init__(self, user_id: int, phone: str, first_name: str) -> None:
        self.user_id = user_id
        self.phone = phone
        self.first_name = first_name
        #: In the order of joining.
        self.joined: dict[ChannelId, None] = {}
        #: Users, bots and basic groups among its dialogs, and when each last wrote.
        self.others: dict[Other, int] = {}

    @property
    def access_hash(self) -> int:
        return _hash(self.user_id, 0)

    def access_hash_of_person(self, user_id: int) -> int:
        return _hash(self.user_id, -user_id)

    def access_hash_of(self, channel_id: ChannelId) -> int:
        """What this account, and no other, has to show to name a channel by its id."""
        return _hash(self.user_id, channel_id)


def _hash(user_id: int, thing_id: int) -> int:
    digest = hashlib.blake2b(f"{user_id}/{thing_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
