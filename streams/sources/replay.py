"""Publishes a recording to the log, at full speed or paced by observed time; each message once.

A killed replay resumes where it stopped (streams.sources.replay_mark). Not for the meaning of a
recording (streams.sources.recorded_events).
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Literal, NamedTuple, assert_never

import msgspec

from streams.clock import Clock, SystemClock
from streams.codec import encode
from streams.events import (
    ChannelDescribed,
    ChannelStatus,
    CountersSampled,
    Event,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
    StatisticsRead,
    SubscribersSampled,
)
from streams.ids import ChannelId, PostId
from streams.log import Log
from streams.publisher import Publisher
from streams.recording import Recording
from streams.sources.recorded_events import events_of
from streams.sources.replay_mark import ReplayMark

#: The largest number of messages published at once.
CHUNK = 500


class Rows(msgspec.Struct):
    """The content of events, counted as rows of a recording."""

    posts: int = 0
    samples: int = 0
    subscriber_samples: int = 0
    descriptions: int = 0
    #: The distinct posts seen, per channel.
    post_ids: dict[ChannelId, set[PostId]] = {}

    def count(self, event: Event) -> None:
        match event:
            case PostsSeen():
                self.posts += len(event.posts)
                seen = self.post_ids.setdefault(event.channel_id, set())
                seen.update(post.post_id for post in event.posts)
            case CountersSampled():
                self.samples += len(event.post_ids)
            case SubscribersSampled():
                self.subscriber_samples += 1
            case ChannelDescribed():
                self.descriptions += 1
            case PostsEdited() | PostsDeleted() | ChannelStatus() | StatisticsRead():
                pass
            case _:
                assert_never(event)

    def __bool__(self) -> bool:
        return any((self.posts, self.samples, self.subscriber_samples, self.descriptions))

    def without(self, others: "Rows") -> "Rows":
        return Rows(
            self.posts - others.posts,
            self.samples - others.samples,
            self.subscriber_samples - others.subscriber_samples,
            self.descriptions - others.descriptions,
            {each: ids - others.post_ids.get(each, set()) for each, ids in self.post_ids.items()},
        )


class Replayed(msgspec.Struct):
    """The progress of a replay: the messages of the recording that are in the log."""

    messages_total: int
    #: The recording's name in the headers of its messages.
    identity: str = ""
    messages: int = 0
    #: How many of them were already in the log.
    already: int = 0
    rows: Rows = msgspec.field(default_factory=Rows)
    #: The observed time reached.
    observed_at_ms: int | None = None

    def count(self, event: Event) -> None:
        self.messages += 1
        self.observed_at_ms = event.observed_at_ms
        self.rows.count(event)


class _Numbered(NamedTuple):
    number: int
    event: Event


async def replay(
    recording: Recording,
    log: Log,
    publisher: Publisher,
    speed: float | Literal["max"] = "max",
    clock: Clock | None = None,
    progress: Callable[[Replayed], None] | None = None,
) -> Replayed:
    """Publish the messages that the log lacks; returns when it has acknowledged all of them.

    `publisher` writes to `log`. With a numeric `speed`, observed time passes that many times faster
    than the `clock`. `progress` is called after each acknowledgement and must not block. Only one
    replay of a recording may run at a time. Raises LogError.
    """
    clock = clock or SystemClock()
    events = list(events_of(recording))
    recording.log_problems()
    identity = identity_of(events)
    mark = ReplayMark(log, identity)
    written = await mark.find()
    replayed, left = Replayed(len(events), identity), []
    for number, event in enumerate(events):
        if written.holds(number, event.channel_id):
            replayed.count(event)
            replayed.already += 1
        else:
            left.append(_Numbered(number, event))

    async def publish(together: Sequence[_Numbered]) -> None:
        headers = [mark.headers(one.number) for one in together]
        await publisher.publish(*(one.event for one in together), headers=headers)
        for one in together:
            replayed.count(one.event)
        await mark.advance(len(together))
        if progress is not None:
            progress(replayed)

    await _publish_paced(left, publish, _pace(left, speed, clock), clock)
    return replayed


def identity_of(events: Iterable[Event]) -> str:
    """Equal for equal events in the same order, whatever the recording's files are."""
    whole = blake2b(digest_size=16)
    for event in events:
        whole.update(encode(event))
    return whole.hexdigest()


async def _publish_paced(
    left: Sequence[_Numbered],
    publish: Callable[[Sequence[_Numbered]], Awaitable[None]],
    due_in_ms: Callable[[_Numbered], float],
    clock: Clock,
) -> None:
    together: list[_Numbered] = []
    for one in left:
        early_ms = due_in_ms(one)
        if together and (early_ms > 0 or len(together) == CHUNK):
            await publish(together)
            together = []
            early_ms = due_in_ms(one)
        if early_ms > 0:
            await clock.sleep_ms(early_ms)
        together.append(one)
    if together:
        await publish(together)


def _pace(
    left: Sequence[_Numbered], speed: float | Literal["max"], clock: Clock
) -> Callable[[_Numbered], float]:
    """A function that returns the milliseconds of the clock until a message is due."""
    if speed == "max" or not left:
        return lambda one: 0.0
    first_ms, started_ms = left[0].event.observed_at_ms, clock.now_ms()
    return lambda one: started_ms + (one.event.observed_at_ms - first_ms) / speed - clock.now_ms()
