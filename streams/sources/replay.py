"""A recording into the log, at full speed or paced by the observed time.

Not for what a recording means (streams.sources.recorded_events).
"""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from streams.clock import Clock, SystemClock
from streams.events import CountersSampled, Event, PostsSeen, SubscribersSampled
from streams.publisher import Publisher
from streams.recording import Recording
from streams.sources.recorded_events import events_of

#: Messages published at once while nothing has to be waited for.
CHUNK = 500


class Replayed(msgspec.Struct):
    """What is in the log so far, of how much. `posts` and `samples` count rows, not messages."""

    messages_total: int
    messages: int = 0
    posts: int = 0
    samples: int = 0
    subscriber_samples: int = 0
    #: The observed time reached.
    observed_at_ms: int | None = None

    def count(self, event: Event) -> None:
        self.messages += 1
        self.observed_at_ms = event.observed_at_ms
        if isinstance(event, PostsSeen):
            self.posts += len(event.posts)
        elif isinstance(event, CountersSampled):
            self.samples += len(event.post_ids)
        elif isinstance(event, SubscribersSampled):
            self.subscriber_samples += 1


async def replay(
    recording: Recording,
    publisher: Publisher,
    speed: float | Literal["max"] = "max",
    clock: Clock | None = None,
    progress: Callable[[Replayed], None] | None = None,
) -> Replayed:
    """Publish all of it; returns when the log has acknowledged the last message.

    With a `speed`, observed time passes that many times faster than the `clock`. `progress` is
    called after each acknowledgement and must not block. Raises LogError.
    """
    clock = clock or SystemClock()
    events = list(events_of(recording))
    replayed = Replayed(len(events))
    due_in_ms = _pace(events, speed, clock)
    together: list[Event] = []
    for event in events:
        early_ms = due_in_ms(event)
        if together and (early_ms > 0 or len(together) == CHUNK):
            await _publish(together, publisher, replayed, progress)
            together = []
            early_ms = due_in_ms(event)
        if early_ms > 0:
            await clock.sleep_ms(early_ms)
        together.append(event)
    if together:
        await _publish(together, publisher, replayed, progress)
    return replayed


def _pace(
    events: Sequence[Event], speed: float | Literal["max"], clock: Clock
) -> Callable[[Event], float]:
    """How many milliseconds of the clock are left until an event is due."""
    if speed == "max" or not events:
        return lambda event: 0.0
    first_ms, started_ms = events[0].observed_at_ms, clock.now_ms()
    return lambda event: started_ms + (event.observed_at_ms - first_ms) / speed - clock.now_ms()


async def _publish(
    together: Sequence[Event],
    publisher: Publisher,
    replayed: Replayed,
    progress: Callable[[Replayed], None] | None,
) -> None:
    await publisher.publish(*together)
    for event in together:
        replayed.count(event)
    if progress is not None:
        progress(replayed)
