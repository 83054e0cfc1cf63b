"""The world: everything that can happen in it happens by a call here, at its clock's time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from loopback.world.account import Account
from loopback.world.channel import (
    ChannelKind,
    Collectible,
    Kind,
    LogEntry,
    WorldChannel,
    WorldPost,
)
from loopback.world.counters import Counters, CounterSource, FixedCounters
from loopback.world.others import BasicGroup, Other, Person
from streams.clock import Clock
from streams.ids import ChannelId, PostId


class LogWritten(NamedTuple):
    """Posts were added, edited or deleted."""

    channel: WorldChannel
    entry: LogEntry


class CountersMoved(NamedTuple):
    """Telegram chose to say how the counters of some posts stand."""

    channel: WorldChannel
    posts: Sequence[WorldPost]


Happening = LogWritten | CountersMoved
Listener = Callable[[Happening], None]


class World:
    """All calls are made from one event loop; none of them waits."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.accounts: dict[int, Account] = {}
        self.channels: dict[ChannelId, WorldChannel] = {}
        self.people: list[Person] = []
        self._by_username: dict[str, WorldChannel] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """`listener` is called within the call that makes something happen."""
        self._listeners.append(listener)

    def add_account(
        self, user_id: int, *, phone: str = "", first_name: str = "Loopback"
    ) -> Account:
        """An account that is there already is returned as it is."""
        fresh = Account(user_id, phone or f"999{user_id:07d}", first_name)
        return self.accounts.setdefault(user_id, fresh)

    def add_channel(
        self,
        channel_id: int,
        username: str | None = None,
        title: str | None = None,
        *,
        subscribers: int | Callable[[int], int | None] | None = None,
        history: Iterable[WorldPost] = (),
        kind: ChannelKind = "channel",
    ) -> WorldChannel:
        """`history` is there before anybody looks: it is in no log."""
        count = subscribers if callable(subscribers) else lambda _: subscribers
        name = title or username or str(channel_id)
        now_ms = self.clock.now_ms()
        channel = WorldChannel(ChannelId(channel_id), name, username, now_ms, count, kind)
        for post in history:
            channel.put(post)
            channel.pts += 1
            channel.created_ms = min(channel.created_ms, post.date_ms)
        self.channels[channel.channel_id] = channel
        self._name(channel)
        return channel

    def add_person(self, user_id: int, username: str | None = None, *, bot: bool = False) -> Person:
        """Somebody else, with whom accounts may talk."""
        person = Person(user_id, username or str(user_id), username, bot)
        self.people.append(person)
        return person

    def rename(
        self, channel: WorldChannel, username: str | None, collectibles: Iterable[Collectible] = ()
    ) -> None:
        """From now on the channel has these names and no other. A name has one owner: where
        another channel has it still, rename that one first."""
        self._unname(channel)
        channel.username, channel.collectibles = username, tuple(collectibles)
        self._name(channel)

    def find_username(self, username: str) -> WorldChannel | None:
        return self._by_username.get(username.lower())

    def find_person(self, username: str) -> Person | None:
        wanted = username.lower()
        return next((one for one in self.people if (one.username or "").lower() == wanted), None)

    def talk(self, account: Account, other: Other) -> None:
        """It is among the account's dialogs, and wrote just now."""
        account.others[other] = self.clock.now_ms()

    def join_group(self, account: Account, chat_id: int, title: str) -> None:
        """A basic group is among the account's dialogs."""
        self.talk(account, BasicGroup(chat_id, title))

    def join(self, account: Account, channel: WorldChannel) -> None:
        account.joined[channel.channel_id] = None

    def leave(self, account: Account, channel: WorldChannel) -> None:
        account.joined.pop(channel.channel_id, None)

    def post(
        self,
        channel: WorldChannel,
        text: str = "",
        *,
        counters: CounterSource | None = None,
    ) -> WorldPost:
        """A new post with the next id, now; with one view, unless `counters` says otherwise."""
        post = WorldPost(PostId(channel.newest_id + 1), self.clock.now_ms(), text, counters)
        self.publish(channel, post)
        return post

    def publish(self, channel: WorldChannel, post: WorldPost) -> None:
        """A post that somebody else has made, with its own id and date."""
        channel.put(post)
        self._write(channel, Kind.NEW, [post.post_id])

    def post_album(self, channel: WorldChannel, texts: Sequence[str]) -> list[WorldPost]:
        """Photos that are shown as one; each is a post, with a push of its own."""
        album_id = channel.newest_id + 1
        posts = [
            WorldPost(
                PostId(album_id + n), self.clock.now_ms(), text, media="photo", album_id=album_id
            )
            for n, text in enumerate(texts)
        ]
        for post in posts:
            self.publish(channel, post)
        return posts

    def serve(self, channel: WorldChannel, what: str) -> WorldPost:
        """A service message: `what` happened."""
        post = WorldPost(PostId(channel.newest_id + 1), self.clock.now_ms(), service=what)
        self.publish(channel, post)
        return post

    def edit(
        self, channel: WorldChannel, post_id: int, text: str, *, at_ms: int | None = None
    ) -> None:
        """Now, or at the instant that somebody else has recorded. Raises KeyError."""
        post = channel.find(PostId(post_id))
        if post is None:
            raise KeyError(post_id)
        post.text = text
        post.edit_date_ms = self.clock.now_ms() if at_ms is None else at_ms
        self._write(channel, Kind.EDIT, [post.post_id])

    def delete(self, channel: WorldChannel, post_ids: Iterable[int]) -> None:
        if gone := channel.remove(PostId(i) for i in post_ids):
            self._write(channel, Kind.DELETE, gone)

    def set_counters(
        self,
        channel: WorldChannel,
        post_id: int,
        *,
        views: int | None = None,
        forwards: int | None = None,
        replies: int | None = None,
        reactions: Mapping[str, int] | None = None,
        push: bool = False,
    ) -> None:
        """From now on. None leaves a counter as it is. `push` tells the subscribers."""
        post = channel.find(PostId(post_id))
        if post is None:
            raise KeyError(post_id)
        old = post.counters.at(self.clock.now_ms())
        new = Counters(views, forwards, replies, reactions)._asdict()
        known = {name: value for name, value in new.items() if value is not None}
        post.counters = FixedCounters(old._replace(**known))
        if push:
            self.push_counters(channel, [post])

    def push_counters(self, channel: WorldChannel, posts: Sequence[WorldPost]) -> None:
        self._tell(CountersMoved(channel, posts))

    def _name(self, channel: WorldChannel) -> None:
        self._by_username.update((name.lower(), channel) for name in channel.names)

    def _unname(self, channel: WorldChannel) -> None:
        for name in channel.names:
            if self._by_username.get(name.lower()) is channel:
                del self._by_username[name.lower()]

    def _write(self, channel: WorldChannel, kind: Kind, post_ids: Sequence[PostId]) -> None:
        self._tell(LogWritten(channel, channel.write_log(kind, post_ids, self.clock.now_ms())))

    def _tell(self, happening: Happening) -> None:
        for listener in self._listeners:
            listener(happening)
