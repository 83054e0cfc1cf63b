"""What Telegram pushes: stamped and queued at once, then merged, published and remembered.

A push is a bonus, not the truth: big channels are pushed late or not at all, and what is lost here
is found when the newest posts are read again.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from telethon import events as telethon_events
from telethon.tl import types

from collect.channel import FollowedChannel, Following
from collect.client import CollectorClient
from collect.mapping import COMPLETE, channel_of, column, posts_of, reactions_of
from streams.clock import Clock
from streams.events import MAX_POSTS, CountersSampled, Event, PostsDeleted, PostsEdited, PostsSeen
from streams.ids import ChannelId, PostId
from streams.metrics import Metrics
from streams.publisher import Publisher
from streams.tracing import Span

_COUNTERS = (
    types.UpdateChannelMessageViews,
    types.UpdateChannelMessageForwards,
    types.UpdateMessageReactions,
)
_POSTS = (
    types.UpdateNewChannelMessage,
    types.UpdateEditChannelMessage,
    types.UpdateDeleteChannelMessages,
)
#: Says only that something happened.
_HINTS = (types.UpdateChannel, types.UpdateChannelTooLong)
#: By exact type: Telethon also hands out containers and subclasses.
HANDLED = frozenset((*_COUNTERS, *_POSTS, *_HINTS))


class Push(NamedTuple):
    observed_at_ms: int
    channel_id: ChannelId
    update: Any
    #: From its arrival until it is published, where it is traced.
    span: Span | None = None


class Pushes:
    def __init__(
        self,
        following: Following,
        publisher: Publisher,
        clock: Clock,
        metrics: Metrics,
        most: int,
    ) -> None:
        self._following = following
        self._publisher = publisher
        self._clock = clock
        self._metrics = metrics
        self._queue: asyncio.Queue[Push] = asyncio.Queue(most)

    def attach(self, client: CollectorClient) -> None:
        client.add_event_handler(self.take, telethon_events.Raw())
        client.on_gap = self._miss

    async def take(self, update: Any) -> None:
        """Never waits: a full queue drops the update, and the channel is read again."""
        if type(update) not in HANDLED or (channel_id := channel_of(update)) is None:
            return
        self._metrics.received("collector")
        if (channel := self._following.find(channel_id)) is None:
            self._metrics.dropped("collector", "not_followed")
            return
        traces = self._publisher.traces
        span = None if traces is None else traces.begin("telegram.receive")
        try:
            self._queue.put_nowait(Push(self._clock.now_ms(), channel_id, update, span))
        except asyncio.QueueFull:
            self._metrics.dropped("collector", "queue_full")
            channel.miss(much=True)

    def _miss(self, channel_id: int) -> None:
        if channel := self._following.find(ChannelId(channel_id)):
            channel.miss(much=True)

    async def run(self) -> None:
        """Publish what comes, until cancelled."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MAX_POSTS and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._publish(batch)

    async def _publish(self, batch: Sequence[Push]) -> None:
        by_channel: dict[ChannelId, list[Push]] = {}
        for push in batch:
            by_channel.setdefault(push.channel_id, []).append(push)
        found: list[Event] = []
        headers: list[Mapping[str, bytes]] = []
        for channel_id, pushes in by_channel.items():
            if channel := self._following.find(channel_id):
                events = events_of(pushes, channel.source, reactive=channel.reactive)
                found += events
                headers += [_received(pushes)] * len(events)
        await self._publisher.publish(*found, headers=headers)
        for event in found:
            if channel := self._following.find(event.channel_id):
                _remember(channel, event)
        for push in batch:
            channel = self._following.find(push.channel_id)
            if channel is not None and isinstance(push.update, _HINTS):
                channel.miss(much=isinstance(push.update, types.UpdateChannelTooLong))


def _received(pushes: Iterable[Push]) -> Mapping[str, bytes]:
    """Ends the step of those that are traced; the headers of the first."""
    spans = [push.span for push in pushes if push.span is not None]
    for span in spans:
        span.end()
    return spans[0].headers if spans else {}


def events_of(
    pushes: Iterable[Push], source: str = "telegram", *, reactive: bool = True
) -> list[Event]:
    """The events of one channel's pushes, in their order; counters in a row are one sample."""
    found: list[Event] = []
    sample = _Sample(source)
    for push in pushes:
        if isinstance(push.update, _COUNTERS):
            sample.put(push)
        elif events := _events(push, source, reactive):
            found += [*sample.taken(), *events]
    return found + sample.taken()


class _Sample:
    """Counters pushed one by one, as the columns of one message."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._counters: dict[PostId, dict[str, int]] = {}
        self._last: Push | None = None

    def put(self, push: Push) -> None:
        self._last = push
        match push.update:
            case types.UpdateChannelMessageViews(id=post_id, views=views):
                self._put(post_id, views=views)
            case types.UpdateChannelMessageForwards(id=post_id, forwards=forwards):
                self._put(post_id, forwards=forwards)
            case types.UpdateMessageReactions(msg_id=post_id, reactions=reactions):
                self._put(post_id, reactions=sum(reactions_of(reactions).values()))
            case _:
                pass

    def taken(self) -> list[Event]:
        """What was put, as at most one event; then it is empty again."""
        if self._last is None:
            return []
        rows = self._counters.values()
        event = CountersSampled(
            channel_id=self._last.channel_id,
            observed_at_ms=self._last.observed_at_ms,
            source=self._source,
            post_ids=list(self._counters),
            views=column([row.get("views") for row in rows]),
            forwards=column([row.get("forwards") for row in rows]),
            reactions=column([row.get("reactions") for row in rows]),
        )
        self._counters, self._last = {}, None
        return [event]

    def _put(self, post_id: int, **counters: int) -> None:
        self._counters.setdefault(PostId(post_id), {}).update(counters)


def _events(push: Push, source: str, reactive: bool) -> list[Event]:
    """Empty where there is nothing to publish: hints and service messages."""
    update, at_ms = push.update, push.observed_at_ms
    if isinstance(update, types.UpdateDeleteChannelMessages):
        return [
            PostsDeleted(
                channel_id=push.channel_id, observed_at_ms=at_ms, source=source, post_ids=ids
            )
            for start in range(0, len(update.messages), MAX_POSTS)
            if (ids := [PostId(i) for i in update.messages[start : start + MAX_POSTS]])
        ]
    if not isinstance(update, types.UpdateNewChannelMessage | types.UpdateEditChannelMessage):
        return []
    chats = getattr(update, "_entities", {}).values()
    complete = source == COMPLETE
    posts = posts_of([update.message], chats, reactive=reactive, complete=complete)
    if not posts:
        return []
    # an edit without an edit date changed the reactions or buttons only
    edited = isinstance(update, types.UpdateEditChannelMessage) and posts[0].edit_date_ms
    kind = PostsEdited if edited else PostsSeen
    return [kind(channel_id=push.channel_id, observed_at_ms=at_ms, source=source, posts=posts)]


def _remember(channel: FollowedChannel, event: Event) -> None:
    if isinstance(event, PostsSeen | PostsEdited):
        channel.recent.put(event.posts, event.observed_at_ms)
        channel.changed.set()
    elif isinstance(event, PostsDeleted):
        channel.recent.drop(event.post_ids)
    elif isinstance(event, CountersSampled) and event.reactions is not None:
        reacted = zip(event.post_ids, event.reactions, strict=True)
        channel.recent.put_reacted(post_id for post_id, total in reacted if total)
