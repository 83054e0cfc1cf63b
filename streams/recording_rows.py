"""The lines of a recording's files as they are written. Keys that are not here are ignored."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from streams.events import Post
from streams.ids import PostId

Instant = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
MessageId = Annotated[int, Meta(ge=1, le=2**31 - 1)]
#: A channel in any spelling, as a number or as text.
AnyId = int | str


class Row(msgspec.Struct):
    """What says whose a row is; all that a first pass reads."""

    channel: AnyId
    channel_id: AnyId | None = None
    username: str | None = None


class ChannelRow(Row):
    title: str | None = None
    subscribers: Count | None = None
    subscribers_at: Instant | None = None


class PostRow(Row, kw_only=True):
    message_id: MessageId
    date: Instant
    edit_date: Instant | None = None
    text: str | None = None
    media: str | None = None
    album_id: int | None = None
    fwd_from_channel: AnyId | None = None
    views: Count | None = None
    forwards: Count | None = None
    replies: Count | None = None
    reactions: dict[str, Count] | None = None
    #: When the counters were read. Without it they are not taken.
    sampled_at: Instant | None = None

    def post(self) -> Post:
        origin = self.fwd_from_channel
        counted = self.sampled_at is not None
        return Post(
            post_id=PostId(self.message_id),
            date_ms=instant_ms(self.date),
            text=self.text or "",
            edit_date_ms=optional_ms(self.edit_date),
            media=self.media,
            album_id=self.album_id,
            forwarded_from=None if origin is None else str(origin).removeprefix("@"),
            views=self.views if counted else None,
            forwards=self.forwards if counted else None,
            replies=self.replies if counted else None,
            reactions=self.reactions if counted else None,
        )


class ViewRow(Row, kw_only=True):
    message_id: MessageId
    sampled_at: Instant
    views: Count


class SubscriberRow(Row, kw_only=True):
    sampled_at: Instant
    subscribers: Count


def instant_ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def optional_ms(instant: datetime | None) -> int | None:
    return None if instant is None else instant_ms(instant)
