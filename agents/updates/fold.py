"""Fold one message of telegram.updates into rows: the steps in order. Independent of Faust."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple, assert_never

from agents.engine.reasons import HandledReason
from agents.updates.activity import activity_again, put_activity
from agents.updates.ages import put_ages
from agents.updates.buckets import Buckets, buckets_of
from agents.updates.channel import Channel
from agents.updates.folding import Fold, Step
from agents.updates.late import put_late
from agents.updates.posts import fold_posts
from agents.updates.subscribers import put_subscribers, subscribers_again
from agents.updates.summary import counters_of, put_counters, put_summary, summary_of
from streams.analytics import Window
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
from streams.ids import PostId

#: The steps of a message, in order.
STEPS: tuple[Step, ...] = (
    fold_posts,
    put_activity,
    put_late,
    put_ages,
    put_subscribers,
    put_counters,
    put_summary,
)


class Folded(NamedTuple):
    """The results of folding one message."""

    outputs: Sequence[Window]
    #: False if the rows already contained the message.
    changed: bool
    #: Numbers of the buckets of the posts that the message names, and of others that it changed.
    touched: Collection[int]
    handled: Counter[HandledReason]


def fold_update(
    channel: Channel,
    buckets: Buckets,
    event: Event,
    offset: int,
    steps: Sequence[Step] = STEPS,
) -> Folded:
    """Fold a checked event into its channel's rows, in place. Called per message; never waits.

    A message that the rows already contain changes nothing. Its outputs are returned again in
    their present state, because a crash may have prevented the first sending.
    """
    if offset <= channel.last_offset:
        again = _again(Fold(event, channel, buckets, offset))
        return Folded(again, False, (), Counter[HandledReason](["duplicate"]))
    fold = Fold(event, channel, buckets, offset)
    outputs = [output for step in steps for output in step(fold)]
    channel.last_offset = offset
    touched = buckets_of(post_ids_of(event)) | fold.touched
    for number in touched:
        buckets[number].last_offset = offset
    return Folded(outputs, True, touched, fold.handled)


def post_ids_of(event: Event) -> Sequence[PostId]:
    """The posts that an event names."""
    match event:
        case CountersSampled() | PostsDeleted():
            return event.post_ids
        case PostsSeen() | PostsEdited():
            return [post.post_id for post in event.posts]
        case SubscribersSampled() | ChannelDescribed() | ChannelStatus() | StatisticsRead():
            return ()
        case _:
            assert_never(event)


def _again(fold: Fold) -> list[Window]:
    outputs: list[Window] = [*activity_again(fold), *subscribers_again(fold)]
    known = post_ids_of(fold.event)
    if known:
        outputs.append(counters_of(fold, known))
    outputs.append(summary_of(fold))
    return outputs
