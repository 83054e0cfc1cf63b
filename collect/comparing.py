"""Comparing what is known of posts with what they are now: edited and deleted ones.

By their ids, so that neither short pages nor new posts matter: Telegram says of each id what it is,
and of one that is gone that it is empty. An id of which it says nothing is left as it is.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from telethon.tl import functions, types

from collect.channel import FollowedChannel
from collect.connection import Connection
from collect.mapping import COMPLETE, posts_of
from streams.events import MAX_POSTS, Post, PostsDeleted, PostsEdited
from streams.ids import PostId


class _Answer(NamedTuple):
    posts: Sequence[Post]
    gone: Sequence[PostId]
    observed_at_ms: int


async def compare(channel: FollowedChannel, on: Connection) -> None:
    """One request of the round over all posts known. How far it is goes into the cursor."""
    ids = channel.round.next(list(channel.recent), MAX_POSTS)
    if ids:
        answer = await _ask(channel, on, ids)
        if edited := channel.recent.edited(answer.posts):
            event = PostsEdited(
                channel_id=channel.known_id,
                observed_at_ms=answer.observed_at_ms,
                source=channel.source,
                posts=edited,
            )
            await on.publisher.publish(event)
            channel.recent.put(edited, answer.observed_at_ms)
        channel.recent.put_reacted(post.post_id for post in answer.posts if post.reactions)
        await _publish_deleted(channel, on, answer)
        channel.round.done(ids)
    await on.put_cursor(channel, channel.known_cursor)


async def publish_deleted(
    channel: FollowedChannel, on: Connection, suspects: Sequence[PostId]
) -> None:
    """Ask Telegram about posts that seem to be gone, and publish those that are."""
    for start in range(0, len(suspects), MAX_POSTS):
        answer = await _ask(channel, on, suspects[start : start + MAX_POSTS])
        await _publish_deleted(channel, on, answer)


async def _ask(channel: FollowedChannel, on: Connection, ids: Collection[PostId]) -> _Answer:
    request = functions.channels.GetMessagesRequest(
        channel.input_channel, [types.InputMessageID(i) for i in ids]
    )
    answer: Any = await on.calls(request, channel.channel_id)
    messages = [message for message in answer.messages if message.id in ids]
    return _Answer(
        posts_of(
            messages,
            answer.chats,
            reactive=channel.reactive,
            complete=channel.source == COMPLETE,
        ),
        [PostId(m.id) for m in messages if isinstance(m, types.MessageEmpty)],
        on.clock.now_ms(),
    )


async def _publish_deleted(channel: FollowedChannel, on: Connection, answer: _Answer) -> None:
    if answer.gone:
        await on.publisher.publish(
            PostsDeleted(
                channel_id=channel.known_id,
                observed_at_ms=answer.observed_at_ms,
                source=channel.source,
                post_ids=list(answer.gone),
            )
        )
        channel.recent.drop(answer.gone)
