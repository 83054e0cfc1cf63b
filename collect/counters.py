"""Requests counters of posts from Telegram, without incrementing them."""

from collections.abc import Sequence
from typing import NamedTuple

from telethon.tl import functions, types

from collect.calls import CallFailed, Flooded
from collect.channel import FollowedChannel
from collect.connection import Connection
from collect.mapping import COMPLETE, column, reactions_of, replies_of
from streams.events import CountersSampled
from streams.ids import PostId


class ReadCounters(NamedTuple):
    observed_at_ms: int
    #: None if no post had an answer.
    sample: CountersSampled | None
    #: Posts without an answer: perhaps deleted.
    silent: list[PostId]


async def read_counters(
    channel: FollowedChannel, on: Connection, post_ids: Sequence[PostId]
) -> ReadCounters:
    """The counters of at most MAX_POSTS posts. Publishes nothing. Raises what Calls raises."""
    request = functions.messages.GetMessagesViewsRequest(
        channel.input_peer, list(post_ids), increment=False
    )
    answer = await on.calls(request, channel.channel_id)
    now_ms = on.clock.now_ms()
    read = dict(zip(post_ids, answer.views, strict=True))
    there = [i for i in post_ids if read[i].views is not None]
    silent = [i for i in post_ids if read[i].views is None]
    if not there:
        return ReadCounters(now_ms, None, silent)
    complete = channel.source == COMPLETE
    reacted = channel.recent.reacted(there)
    reactions: dict[PostId, int | None] = dict.fromkeys(there, 0 if complete else None)
    reactions |= dict.fromkeys(reacted) | await _reactions(channel, on, reacted)
    sample = CountersSampled(
        channel_id=channel.known_id,
        observed_at_ms=now_ms,
        source=channel.source,
        post_ids=there,
        views=[read[i].views for i in there],
        forwards=column([read[i].forwards for i in there]),
        replies=column([replies_of(read[i].replies, complete=complete) for i in there]),
        reactions=column([reactions[i] for i in there]),
    )
    return ReadCounters(now_ms, sample, silent)


async def _reactions(
    channel: FollowedChannel, on: Connection, post_ids: Sequence[PostId]
) -> dict[PostId, int]:
    """Totals of posts that have reactions. Unknown while Telegram does not report them."""
    if not post_ids:
        return {}
    request = functions.messages.GetMessagesReactionsRequest(channel.input_peer, list(post_ids))
    try:
        answer = await on.calls(request, channel.channel_id)
    except (Flooded, CallFailed):
        return {}
    return {
        PostId(update.msg_id): sum(reactions_of(update.reactions).values())
        for update in answer.updates
        if type(update) is types.UpdateMessageReactions
    }
