"""Which channel a row of a recording means: every spelling resolved to one bare id.

Rows name their channel by a key (a username, an id in any spelling, ``id123``, or any label beside
a `channel_id`). A username's id is learned from whichever row of whichever file tells it; one that
no row tells gets a synthetic id. Not for reading files.
"""

import hashlib
import re

from streams.ids import (
    HIGHEST_TELEGRAM_ID,
    MARK,
    ChannelId,
    InvalidChannel,
    Username,
    bare_id,
    parse_channel,
)
from streams.recording_rows import AnyId, Row

_ID_KEY = re.compile(r"id([0-9]{1,15})")
_SYNTHETIC_IDS = MARK - HIGHEST_TELEGRAM_ID - 1


class IdCollision(ValueError):
    """Two channels would get the same synthetic id."""


def synthetic_id(username: str) -> ChannelId:
    """The id of a channel whose real one is not known: above Telegram's own, the same each time."""
    digest = hashlib.sha256(username.lower().encode()).digest()
    return ChannelId(HIGHEST_TELEGRAM_ID + 1 + int.from_bytes(digest[:8], "big") % _SYNTHETIC_IDS)


class RecordedChannels:
    """First `learn` every row, then `complete`, then `channel_of` any row."""

    def __init__(self) -> None:
        self.ids: set[ChannelId] = set()
        self._by_name: dict[Username, ChannelId] = {}
        self._spelled: dict[Username, str] = {}
        self._usernames: dict[ChannelId, str] = {}
        self._keys: dict[AnyId, ChannelId | Username | None] = {}

    def username(self, channel_id: ChannelId) -> str | None:
        """As the recording spells it first. Call it after `complete`."""
        return self._usernames.get(channel_id)

    def learn(self, row: Row) -> None:
        """Raises InvalidChannel where the row contradicts an earlier one."""
        key = self._key(row.channel)
        stated = _stated_id(row)
        channel_id = key if stated is None and isinstance(key, int) else stated
        if channel_id is not None:
            self.ids.add(channel_id)
        for spelling in (row.channel, row.username):
            if isinstance(name := None if spelling is None else self._key(spelling), str):
                self._spelled.setdefault(name, str(spelling).removeprefix("@"))
                if channel_id is not None:
                    self._bind(name, channel_id)

    def complete(self) -> None:
        """Give every username without an id a synthetic one. Raises IdCollision."""
        for name in sorted(self._spelled.keys() - self._by_name.keys()):
            channel_id = synthetic_id(name)
            if channel_id in self.ids:
                raise IdCollision(f"{name} gets id {channel_id}, which another channel has")
            self.ids.add(channel_id)
            self._by_name[name] = channel_id
        for name, spelling in self._spelled.items():
            self._usernames.setdefault(self._by_name[name], spelling)

    def channel_of(self, row: Row) -> ChannelId:
        """Raises InvalidChannel."""
        key = self._key(row.channel)
        stated = _stated_id(row)
        known = key if isinstance(key, int) else None if key is None else self._by_name.get(key)
        if known is None and stated is None:
            raise InvalidChannel(f"{row.channel!r} is neither a username nor a channel id")
        if known is not None and stated is not None and known != stated:
            raise InvalidChannel(f"{row.channel} is {stated} here and {known} elsewhere")
        return ChannelId(known or stated or 0)

    def _bind(self, name: Username, channel_id: ChannelId) -> None:
        if self._by_name.setdefault(name, channel_id) != channel_id:
            raise InvalidChannel(f"{name} is {channel_id} here and {self._by_name[name]} before")

    def _key(self, text: AnyId) -> ChannelId | Username | None:
        """What a spelling means; None where it is only a label. Cached, because keys repeat."""
        if text not in self._keys:
            try:
                self._keys[text] = _parsed(text)
            except InvalidChannel:
                self._keys[text] = None
        return self._keys[text]


def _parsed(text: AnyId) -> ChannelId | Username:
    if isinstance(text, int):
        return bare_id(text)
    if numbered := _ID_KEY.fullmatch(text):
        return bare_id(int(numbered[1]))
    return parse_channel(text)


def _stated_id(row: Row) -> ChannelId | None:
    if row.channel_id is None:
        return None
    if isinstance(channel := _parsed(row.channel_id), int):
        return channel
    raise InvalidChannel(f"{row.channel_id!r} is not a channel id")
