"""Which channel a row of a recording means: every spelling resolved to one bare id.

Rows name their channel by a key (a username, an id in any spelling, ``id123``, or any label beside
a `channel_id`). A username's id is learned from whichever row of whichever file tells it; one that
no row tells gets a synthetic id. A username that moved from one channel to another means neither by
itself: those rows have to tell the id. Not for reading files.
"""

import hashlib
from collections.abc import Mapping, Sequence

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
from streams.spellings import is_no_name

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
        #: Of each username all channels that had it, in the order told.
        self._by_name: dict[Username, list[ChannelId]] = {}
        self._spelled: dict[Username, str] = {}
        #: Of each channel its last username.
        self._usernames: dict[ChannelId, str] = {}
        self._keys: dict[AnyId, ChannelId | Username | None] = {}

    def username(self, channel_id: ChannelId) -> str | None:
        """The last one that a row tells, as the recording spells it. Call it after `complete`."""
        return self._usernames.get(channel_id)

    def name_of(self, row: Row) -> str | None:
        """The username that the row itself tells, as it spells it."""
        for spelling in (row.username, row.channel):
            if spelling is not None and isinstance(self._key(spelling), str):
                return str(spelling).strip().removeprefix("@")
        return None

    def moved(self) -> Mapping[str, Sequence[ChannelId]]:
        """The usernames that several channels had, with those channels."""
        return {self._spelled[n]: ids for n, ids in self._by_name.items() if len(ids) > 1}

    def learn(self, row: Row) -> None:
        """Raises InvalidChannel where its channel_id is none."""
        key = self._key(row.channel)
        stated = _stated_id(row)
        channel_id = key if stated is None and isinstance(key, int) else stated
        if channel_id is not None:
            self.ids.add(channel_id)
        for spelling in (row.channel, row.username):
            if isinstance(name := None if spelling is None else self._key(spelling), str):
                spelled = self._spelled.setdefault(name, str(spelling).strip().removeprefix("@"))
                if channel_id is not None:
                    self._usernames[channel_id] = spelled
                    if channel_id not in (ids := self._by_name.setdefault(name, [])):
                        ids.append(channel_id)

    def complete(self) -> None:
        """Give every username without an id a synthetic one. Raises IdCollision."""
        for name in sorted(self._spelled.keys() - self._by_name.keys()):
            channel_id = synthetic_id(name)
            if channel_id in self.ids:
                raise IdCollision(f"{name} gets id {channel_id}, which another channel has")
            self.ids.add(channel_id)
            self._by_name[name] = [channel_id]
            self._usernames[channel_id] = self._spelled[name]

    def channel_of(self, row: Row) -> ChannelId:
        """Raises InvalidChannel."""
        stated = _stated_id(row)
        key = self._key(row.channel)
        if key is None and row.username is not None:
            key = self._key(row.username)
        if isinstance(key, int):
            if stated not in (None, key):
                raise InvalidChannel(f"{row.channel} beside the channel_id {stated}")
            return key
        if stated is not None:
            return stated
        ids = [] if key is None else self._by_name[key]
        if not ids:
            raise InvalidChannel(f"{row.channel!r} is neither a username nor a channel id")
        if len(ids) > 1:
            several = ", ".join(map(str, ids))
            raise InvalidChannel(f"{row.channel} was the name of {several}: give the channel_id")
        return ids[0]

    def _key(self, text: AnyId) -> ChannelId | Username | None:
        """What a spelling means; None where it is only a label. Cached, because keys repeat."""
        if text not in self._keys:
            try:
                self._keys[text] = _parsed(text)
            except InvalidChannel:
                self._keys[text] = None
        return self._keys[text]


def _parsed(text: AnyId) -> ChannelId | Username:
    return bare_id(text) if isinstance(text, int) else parse_channel(text)


def _stated_id(row: Row) -> ChannelId | None:
    if row.channel_id is None or is_no_name(row.channel_id):
        return None
    if isinstance(channel := _parsed(row.channel_id), int):
        return channel
    raise InvalidChannel(f"{row.channel_id!r} is not a channel id")
