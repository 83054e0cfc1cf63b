"""The state of one followed channel, kept across connections."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any
from zlib import crc32

import msgspec
from telethon.tl import types

from collect.recent import Known, RecentPosts
from collect.rounds import Round
from collect.settings import CollectorSettings
from streams.ids import ChannelId, PostId
from streams.sources.cursors import Cursor, Followed, Pages, Standing

#: Statuses of names that do not lead to a channel.
NAMELESS = frozenset({"not_found", "not_a_channel", "duplicate"})

_page = msgspec.json.Decoder(dict[int, Known])


class FollowedChannel:
    def __init__(self, followed: Followed, settings: CollectorSettings) -> None:
        self.reference = followed.reference
        self.source = settings.source
        self.channel_id = followed.channel_id
        self.username: str | None = followed.username
        self.cursor: Cursor | None = None
        phase_ms = _phase_ms(followed.reference, settings)
        self.recent = RecentPosts(settings.sampling, settings.most_recent, phase_ms)
        #: Whether `recent` is complete: only after the first catch-up, unless an earlier process
        #: stored it.
        self.complete = False
        #: The next posts to compare with Telegram.
        self.round = Round()
        #: Title, usernames and description as last published.
        self.described: tuple[object, ...] | None = None
        #: A remark about a live channel.
        self.note = ""
        #: An access hash that Telegram refused: another must be found.
        self.refused_hash: int | None = None
        #: Whether the access hash is from an earlier connection and not verified yet.
        self.hash_is_old = True
        #: When to retry a name that leads nowhere, and the length of that pause.
        leads_nowhere = followed.channel_id is None and followed.status in NAMELESS
        self.name_until_ms = followed.status_until_ms or 0 if leads_nowhere else 0
        self.name_pause_ms = 0
        #: Whether it allows reactions.
        self.reactive = True
        #: The status reported last.
        self.standing: Standing | None = None
        #: Something was or may have been missed: read the newest posts again.
        self.missed = True
        #: Wakes the waiter for the channel's next job.
        self.changed = asyncio.Event()

    @property
    def name(self) -> str:
        return self.username or str(self.channel_id or self.reference)

    @property
    def known_id(self) -> ChannelId:
        """The id, once it is resolved."""
        assert self.channel_id is not None
        return self.channel_id

    @property
    def known_cursor(self) -> Cursor:
        """The cursor, once it is resolved."""
        assert self.cursor is not None
        return self.cursor

    @property
    def resolved(self) -> bool:
        return self.cursor is not None and self.cursor.access_hash is not None

    @property
    def input_peer(self) -> Any:
        return types.InputPeerChannel(self.known_id, self.known_cursor.access_hash)

    @property
    def input_channel(self) -> Any:
        return types.InputChannel(self.known_id, self.known_cursor.access_hash)

    def miss(self, *, much: bool = False) -> None:
        """Request reading the newest posts again; with `much` also comparing all others."""
        self.missed = True
        if much and len(self.recent):
            self.round.begin()
        self.changed.set()

    def load(self, cursor: Cursor, pages: Mapping[int, str], now_ms: int) -> None:
        """Load the state that an earlier run stored."""
        self.cursor = cursor
        if pages and not len(self.recent):
            decoded = {page: _page.decode(posts) for page, posts in pages.items()}
            known = {
                page: {PostId(i): post for i, post in posts.items()}
                for page, posts in decoded.items()
            }
            self.recent.load(known, now_ms)
            self.complete = True
            self.round.begin(cursor.compared_to)

    def take_changed(self) -> Pages:
        """The pages of known posts to be stored."""
        return {
            page: msgspec.json.encode(posts).decode() if posts else None
            for page, posts in self.recent.take_changed().items()
        }

    def refuse_hash(self) -> None:
        """Telegram refused the access hash: resolve the channel again."""
        if self.cursor is not None:
            self.refused_hash = self.cursor.access_hash
            self.cursor = msgspec.structs.replace(self.cursor, access_hash=None)


def _phase_ms(reference: str, settings: CollectorSettings) -> int:
    """The channel's offset in the minute: spreads turns, early enough for late responses."""
    every_ms = settings.sampling[0][1] if settings.sampling else 0
    return every_ms // 50 + crc32(reference.encode()) % (every_ms // 5 or 1)


class Following:
    """The channels followed, by reference and, once resolved, by id."""

    def __init__(self, settings: CollectorSettings) -> None:
        self._settings = settings
        self._by_reference: dict[str, FollowedChannel] = {}
        self._by_id: dict[ChannelId, FollowedChannel] = {}

    def __iter__(self) -> Iterator[FollowedChannel]:
        return iter(list(self._by_reference.values()))

    def __len__(self) -> int:
        return len(self._by_reference)

    def add(self, followed: Followed) -> FollowedChannel | None:
        """None if it is followed already, by this reference or another."""
        if followed.reference in self._by_reference:
            return None
        channel = FollowedChannel(followed, self._settings)
        if followed.channel_id is not None and not self.resolved(channel, followed.channel_id):
            return None
        self._by_reference[followed.reference] = channel
        return channel

    def resolved(self, channel: FollowedChannel, channel_id: ChannelId) -> bool:
        """Set the resolved channel. False if another reference means the same channel."""
        if self._by_id.setdefault(channel_id, channel) is not channel:
            return False
        channel.channel_id = channel_id
        return True

    def remove(self, reference: str) -> FollowedChannel | None:
        channel = self._by_reference.pop(reference, None)
        if channel is not None and self._by_id.get(channel.channel_id or ChannelId(0)) is channel:
            del self._by_id[channel.known_id]
        return channel

    def find(self, channel_id: ChannelId) -> FollowedChannel | None:
        return self._by_id.get(channel_id)
