"""Asking Telegram for the counters of posts, without changing them."""

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
    #: None where nothing was said of any post.
    sample: CountersSampled | None
    #: Posts of which nothing was said: gone, perhaps.
    silent: list[PostId]


async def read_counters(
    channel: FollowedChannel, on: Connection, post_ids: Sequence[PostId]
) -> ReadCounters:
    """Of at most MAX_POSTS posts; nothing is published. Raises what calls.Calls raises."""
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
    """Totals of those that have any. While Telegram does not tell them they are not known."""
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
