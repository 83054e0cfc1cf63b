"""Decisions that no user needs: they show what the engine can do beyond those that ship.

`WORDS` has a key of its own and `JOINED` none; both read two topics.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from agents.engine.decision import Decision
from agents.engine.one_row import OneRow
from agents.engine.ports import Table
from agents.engine.step_context import StepContext
from streams.analytics import ActivityWindow, Alert, ChannelSummary
from streams.events import PostsSeen
from streams.ids import ChannelId
from streams.topics import ALERTS, UPDATES, WINDOWS
from tables.rows import JoinedRow, Row

_WORD = re.compile(r"\w{5,}")


class Word(Row):
    #: How many posts of a channel have it.
    posts: dict[ChannelId, int] = msgspec.field(default_factory=dict)
    #: The channels in whose titles it stands.
    titles: list[ChannelId] = msgspec.field(default_factory=list)


class Joined(JoinedRow):
    posts: int = 0
    windows: int = 0


def words_of(message: PostsSeen | ChannelSummary) -> Iterable[bytes]:
    """The words of a post or a title, of five letters at least."""
    if isinstance(message, ChannelSummary):
        texts = [message.title or ""]
    else:
        texts = [post.text for post in message.posts]
    return [word.lower().encode() for text in texts for word in _WORD.findall(text)]


def count_word(
    row: Word, message: PostsSeen | ChannelSummary, context: StepContext
) -> Sequence[Alert]:
    channel, key = message.channel_id, context.key
    if context.offset > row.last_offset:
        row.last_offset = context.offset
        if isinstance(message, ChannelSummary):
            row.titles = sorted({*row.titles, channel})
        else:
            row.posts[channel] = row.posts.get(channel, 0) + sum(
                key in (word.lower().encode() for word in _WORD.findall(post.text))
                for post in message.posts
            )
            row.posts = dict(sorted(row.posts.items()))
    posts, titled = row.posts.get(channel, 0), int(channel in row.titles)
    return [_told(channel, f"word/{key.decode()}/{channel}", posts, titled)]


def join(row: Joined, message: PostsSeen | ActivityWindow, context: StepContext) -> Sequence[Alert]:
    if context.offset > row.last_offset:
        row.last_offset = context.offset
        if isinstance(message, PostsSeen):
            row.posts += len(message.posts)
        elif message.closed:
            row.windows += 1
    channel = message.channel_id
    return [_told(channel, f"joined/{channel}", row.posts, row.windows)]


def _told(channel: ChannelId, alert_id: str, observed: int, expected: int) -> Alert:
    """Without a time of its own, so that it is the same in whatever order messages come."""
    return Alert(
        channel_id=channel,
        observed_at_ms=0,
        alert_id=alert_id,
        type="proof",
        state="raised",
        raised_at_ms=0,
        observed=observed,
        expected=expected,
        method="",
    )


WORDS = Decision(
    name="words",
    reads=(UPDATES, WINDOWS),
    kinds=(PostsSeen, ChannelSummary),
    steps=(count_word,),
    tables=(Table("words", Word),),
    sends=(ALERTS,),
    handler=OneRow,
    key=words_of,
)

JOINED = Decision(
    name="joined",
    reads=(UPDATES, WINDOWS),
    kinds=(PostsSeen, ActivityWindow),
    steps=(join,),
    tables=(Table("joined", Joined),),
    sends=(ALERTS,),
    handler=OneRow,
)
