"""The world: every event in it is a call of World, at the time of its clock."""

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
    """Telegram pushes the present counters of some posts."""

    channel: WorldChannel
    posts: Sequence[WorldPost]


Happening = LogWritten | CountersMoved
Listener = Callable[[Happening], None]


class World:
    """Called from one event loop only; no method waits."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.accounts: dict[int, Account] = {}
        self.channels: dict[ChannelId, WorldChannel] = {}
        self.people: list[Person] = []
        self._by_username: dict[str, WorldChannel] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Adds a listener, which is called synchronously, within the call that causes an event."""
        self._listeners.append(listener)

    def add_account(
        self, user_id: int, *, phone: str = "", first_name: str = "Loopback"
    ) -> Account:
        """Returns an existing account unchanged."""
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
        """`history`: posts that the channel already has; they are not in its log."""
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
        """Adds a user or bot with whom accounts may have dialogs."""
        person = Person(user_id, username or str(user_id), username, bot)
        self.people.append(person)
        return person

    def rename(
        self, channel: WorldChannel, username: str | None, collectibles: Iterable[Collectible] = ()
    ) -> None:
        """Replaces all names of the channel.

        A name has one owner: if another channel has it, rename that one first.
        """
        self._unname(channel)
        channel.username, channel.collectibles = username, tuple(collectibles)
        self._name(channel)

    def find_username(self, username: str) -> WorldChannel | None:
        return self._by_username.get(username.lower())

    def find_person(self, username: str) -> Person | None:
        wanted = username.lower()
        return next((one for one in self.people if (one.username or "").lower() == wanted), None)

    def talk(self, account: Account, other: Other) -> None:
        """Adds `other` to the account's dialogs, with a message at the present time."""
        account.others[other] = self.clock.now_ms()

    def join_group(self, account: Account, chat_id: int, title: str) -> None:
        """Adds a basic group to the account's dialogs."""
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
        """Publishes a new post with the next id, now. It has one view by default."""
        post = WorldPost(PostId(channel.newest_id + 1), self.clock.now_ms(), text, counters)
        self.publish(channel, post)
        return post

    def publish(self, channel: WorldChannel, post: WorldPost) -> None:
        """Publishes an existing post with its id and date."""
        channel.put(post)
        self._write(channel, Kind.NEW, [post.post_id])

    def post_album(self, channel: WorldChannel, texts: Sequence[str]) -> list[WorldPost]:
        """Publishes photos that clients show as one; each is a post, with a separate push."""
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
        """Publishes a service message about the event `what`."""
        post = WorldPost(PostId(channel.newest_id + 1), self.clock.now_ms(), service=what)
        self.publish(channel, post)
        return post

    def edit(
        self, channel: WorldChannel, post_id: int, text: str, *, at_ms: int | None = None
    ) -> None:
        """Edits a post, now or at a recorded instant. Raises KeyError."""
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
        """Sets counters from now on; None leaves a counter unchanged. `push` notifies subscribers.

        Raises KeyError.
        """
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
