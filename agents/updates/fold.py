"""What becomes of one message of telegram.updates: the steps in order, over rows. No Faust here."""

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
    """What a message led to."""

    outputs: Sequence[Window]
    #: False when the message was in the rows already.
    changed: bool
    #: Buckets of the posts that it spoke of, or that changed with them.
    touched: Collection[int]
    handled: Counter[HandledReason]


def fold_update(
    channel: Channel,
    buckets: Buckets,
    event: Event,
    offset: int,
    steps: Sequence[Step] = STEPS,
) -> Folded:
    """Fold a checked event into its channel's rows, in place.

    A message that is in the rows already changes nothing; what it led to is given again as it
    stands now, because a crash may have kept its outputs from being sent.
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
    """The posts that an event speaks of."""
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
