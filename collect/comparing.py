"""Compares known posts with Telegram, to find edits and deletions.

By id, so that short pages and new posts do not matter: Telegram answers for each id, with an empty
message for a deleted one. Ids without an answer stay unchanged.
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
    """One request of the round over all known posts. The cursor stores its progress."""
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
    """Ask Telegram about posts that seem deleted, and publish those that are."""
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
