"""The lines of a recording's files, as rows. Keys that are not here are ignored.

docs/RECORDINGS.md tells every field; a test holds the two together. Not for odd spellings
(streams.recording_lines).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, NamedTuple

import msgspec
from msgspec import Meta

from streams.counters import NAMES
from streams.events import Post
from streams.ids import PostId
from streams.limits import FIRST_MS, HIGHEST_COUNTER, HIGHEST_POST_ID, LAST_MS, SKEW_MS
from streams.spellings import clean, is_no_name

Instant = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0, le=HIGHEST_COUNTER)]
MessageId = Annotated[int, Meta(ge=1, le=HIGHEST_POST_ID)]
AlbumId = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
#: A channel in any spelling, as a number or as text.
AnyId = int | str

#: No zone is further ahead of UTC.
_FARTHEST_ZONE_MIN = 14 * 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Fault(NamedTuple):
    """What of a row cannot be taken."""

    #: Empty where it is the line as a whole.
    field: str
    #: As the line has it, shortened.
    value: str
    #: Short, and the same for all values that are refused for it.
    why: str
    advice: str = ""
    #: Whether nothing of the row can be taken; else its field is not known.
    whole: bool = True

    def __str__(self) -> str:
        field = f"{self.field}:" if self.field else ""
        told = " ".join(filter(None, (field, self.value, self.why)))
        return f"{told}; {self.advice}" if self.advice else told


class Row(msgspec.Struct):
    """What says whose a row is; all that a first pass reads."""

    #: Its instants: those without which it says nothing, and the others.
    needed: ClassVar[Sequence[str]] = ()
    optional: ClassVar[Sequence[str]] = ()

    channel: AnyId
    channel_id: AnyId | None = None
    username: str | None = None

    def faults(self, now_ms: int) -> Iterator[Fault]:
        """What is well spelled and cannot be."""
        for name in (*self.needed, *self.optional):
            at = getattr(self, name)
            if at is not None and (why := _impossible(instant_ms(at), now_ms)):
                yield Fault(name, at.isoformat(), why, whole=name in self.needed)


class ChannelRow(Row):
    optional = ("subscribers_at",)

    title: str | None = None
    subscribers: Count | None = None
    subscribers_at: Instant | None = None

    def faults(self, now_ms: int) -> Iterator[Fault]:
        yield from super().faults(now_ms)
        if self.subscribers is not None and self.subscribers_at is None:
            yield _without_instant("subscribers_at", "its subscribers are")


class PostRow(Row, kw_only=True):
    needed = ("date",)
    optional = ("edit_date", "sampled_at")

    message_id: MessageId
    date: Instant
    edit_date: Instant | None = None
    text: str | None = None
    media: str | None = None
    album_id: AlbumId | None = None
    fwd_from_channel: AnyId | None = None
    views: Count | None = None
    forwards: Count | None = None
    replies: Count | None = None
    reactions: dict[str, Count] | None = None
    #: When the counters were read. Without it they are not taken.
    sampled_at: Instant | None = None

    def faults(self, now_ms: int) -> Iterator[Fault]:
        yield from super().faults(now_ms)
        if self.sampled_at is None:
            if any(getattr(self, name) is not None for name in NAMES):
                yield _without_instant("sampled_at", "its counters are")
        elif after := dated_after(instant_ms(self.date), instant_ms(self.sampled_at)):
            yield Fault("date", self.date.isoformat(), "is after sampled_at", after)

    def post(self) -> Post:
        origin = None if is_no_name(self.fwd_from_channel) else self.fwd_from_channel
        counted = self.sampled_at is not None
        reactions = self.reactions if counted else None
        return Post(
            post_id=PostId(self.message_id),
            date_ms=instant_ms(self.date),
            text=clean(self.text or ""),
            edit_date_ms=optional_ms(self.edit_date),
            media=None if is_no_name(self.media) else self.media,
            album_id=self.album_id,
            forwarded_from=None if origin is None else str(origin).removeprefix("@"),
            views=self.views if counted else None,
            forwards=self.forwards if counted else None,
            replies=self.replies if counted else None,
            reactions=reactions and {clean(name): count for name, count in reactions.items()},
        )


class ViewRow(Row, kw_only=True):
    needed = ("sampled_at",)

    message_id: MessageId
    sampled_at: Instant
    views: Count


class SubscriberRow(Row, kw_only=True):
    needed = ("sampled_at",)

    sampled_at: Instant
    subscribers: Count


def instant_ms(instant: datetime) -> int:
    milliseconds, rest = divmod((instant - _EPOCH) // _MICROSECOND, 1000)
    return milliseconds + (rest >= 500)


def optional_ms(instant: datetime | None) -> int | None:
    return None if instant is None else instant_ms(instant)


def dated_after(date_ms: int, sampled_at_ms: int) -> str:
    """What to do where a post is dated after its sample; empty where it is not."""
    if date_ms <= sampled_at_ms + SKEW_MS:
        return ""
    minutes = (date_ms - sampled_at_ms) // 60_000
    ahead = f"{minutes // 60} h {minutes % 60} min ahead"
    if 30 <= minutes <= _FARTHEST_ZONE_MIN:
        hours = -(-minutes // 60)
        return f"{ahead}: dates look like local time, about {hours} h ahead of UTC; write UTC"
    return f"{ahead}: nobody reads a post before it is published; check the clocks"


def _without_instant(name: str, what: str) -> Fault:
    return Fault(name, "", f"is unknown, so {what} not taken", whole=False)


def _impossible(at_ms: int, now_ms: int) -> str:
    if at_ms < FIRST_MS:
        return "is before 2013, when there was no Telegram"
    if at_ms >= LAST_MS:
        return "is after 2099"
    return "is after now" if at_ms > now_ms + SKEW_MS else ""
