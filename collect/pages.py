"""Reading a channel page by page: catching up with the newest posts, and the backfill.

The cursor's `last_post_id` promises that every post up to it is in the log. Only a completed
catch-up moves it, never a push, so that the next catch-up finds what pushes missed.
"""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from telethon.tl import functions

from collect.calls import CallFailed
from collect.channel import FollowedChannel
from collect.comparing import publish_deleted
from collect.connection import Connection
from collect.counters import read_counters
from collect.mapping import COMPLETE, column, posts_of
from collect.recent import Compared
from streams.events import (
    MAX_POSTS,
    CountersSampled,
    Event,
    Post,
    PostsEdited,
    PostsSeen,
)
from streams.ids import PostId

logger = logging.getLogger(__name__)

_NEWEST = PostId(0)


class _Page(NamedTuple):
    """Posts, newest first."""

    posts: list[Post]
    #: The lowest and the highest id on it, of a post or not; None: history holds nothing more.
    oldest: PostId | None
    newest: PostId
    #: Whether there may be more below it.
    full: bool
    observed_at_ms: int


async def catch_up(channel: FollowedChannel, on: Connection) -> None:
    """Read from the newest post down to what is in the log, and compare what is known already.

    Publishes posts not known, edits and deletions; then moves the cursor. Where this process does
    not yet know the recent posts it reads on until it does, and publishes their counters too.
    """
    cursor = channel.known_cursor
    newest, below = cursor.last_post_id, _NEWEST
    channel.missed = False
    missing: list[PostId] = []
    while True:
        page = await _read_page(channel, on, below)
        missing += await _publish_page(channel, on, page, below or None)
        newest = max(newest, page.newest)
        if page.oldest is None or _reached(channel, on, page):
            break
        below = page.oldest
    await publish_deleted(channel, on, missing)
    channel.complete = True
    if cursor.backfilled_to is None:
        cursor = msgspec.structs.replace(
            cursor, backfilled_to=page.oldest, backfill_done=page.oldest is None
        )
    await on.put_cursor(channel, msgspec.structs.replace(cursor, last_post_id=newest))


async def backfill(channel: FollowedChannel, on: Connection) -> None:
    """One page below what the backfill has reached. The cursor follows the acknowledgement."""
    cursor = channel.known_cursor
    page = await _read_page(channel, on, cursor.backfilled_to or PostId(0))
    if page.posts:
        await on.publisher.publish(_seen(channel, page.posts, page.observed_at_ms))
        await _sample_bare(channel, on, page.posts)
        channel.recent.put(page.posts, page.observed_at_ms)
    cursor = (
        msgspec.structs.replace(channel.known_cursor, backfill_done=True)
        if page.oldest is None
        else msgspec.structs.replace(channel.known_cursor, backfilled_to=page.oldest)
    )
    await on.put_cursor(channel, cursor)


async def _read_page(channel: FollowedChannel, on: Connection, below: PostId) -> _Page:
    request = functions.messages.GetHistoryRequest(
        peer=channel.input_peer,
        offset_id=below,
        offset_date=None,
        add_offset=0,
        limit=MAX_POSTS,
        max_id=0,
        min_id=0,
        hash=0,
    )
    answer: Any = await on.calls(request, channel.channel_id)
    ids = [message.id for message in answer.messages]
    return _Page(
        posts_of(
            answer.messages,
            answer.chats,
            reactive=channel.reactive,
            complete=channel.source == COMPLETE,
        ),
        PostId(min(ids)) if ids else None,
        PostId(max(ids, default=0)),
        len(ids) >= MAX_POSTS,
        on.clock.now_ms(),
    )


async def _publish_page(
    channel: FollowedChannel, on: Connection, page: _Page, below: PostId | None
) -> list[PostId]:
    """Publish what a page tells; returns the posts that should be on it and are not."""
    oldest = page.oldest if page.full and page.oldest is not None else PostId(0)
    compared = channel.recent.compare(page.posts, oldest, below)
    at_ms = page.observed_at_ms
    events: list[Event] = []
    if compared.new:
        events.append(_seen(channel, compared.new, at_ms))
    if compared.edited:
        events.append(_edited(channel, compared.edited, at_ms))
    sampled = _stands_for(channel, compared, at_ms)
    if sampled:
        events.append(_counters(channel, sampled, at_ms))
    await on.publisher.publish(*events)
    await _sample_bare(channel, on, compared.new)
    channel.recent.put([*compared.new, *compared.edited], at_ms)
    channel.recent.put_reacted(post.post_id for post in compared.unchanged if post.reactions)
    if sampled:
        channel.recent.sampled([post.post_id for post in sampled], at_ms)
    # a page that is not full is the last one, mostly: ask no more than one request can answer
    return compared.missing if page.full else compared.missing[:MAX_POSTS]


def _reached(channel: FollowedChannel, on: Connection, page: _Page) -> bool:
    """Whether everything below the page is known, or left to the backfill."""
    cursor = channel.known_cursor
    if cursor.backfilled_to is None:
        return True
    oldest = page.oldest or PostId(0)
    if oldest > cursor.last_post_id + 1:
        return False
    if channel.complete or oldest <= cursor.backfilled_to:
        return True
    horizon_ms = page.observed_at_ms - channel.recent.horizon_ms
    old = bool(page.posts) and page.posts[-1].date_ms < horizon_ms
    return old or len(channel.recent) >= on.settings.most_recent


def _stands_for(channel: FollowedChannel, compared: Compared, at_ms: int) -> list[Post]:
    """Whose counters on a page are a sample.

    All of them while this process has read none; then only where the page answers the whole turn
    that is due. Anything between the turns would have some minutes gain what others do.
    """
    if not channel.complete:
        return compared.unchanged
    due = set(channel.recent.due(at_ms))
    told = {post.post_id for post in compared.unchanged if post.views is not None}
    edited = {post.post_id for post in compared.edited}
    if not due <= told | edited:
        return []
    return [post for post in compared.unchanged if post.post_id in due]


async def _sample_bare(channel: FollowedChannel, on: Connection, posts: Sequence[Post]) -> None:
    """Ask once for the counters of posts that came without, whatever their age."""
    bare = [post.post_id for post in posts if post.views is None]
    if not bare:
        return
    try:
        read = await read_counters(channel, on, bare)
    except CallFailed as error:
        fields = {"channel": channel.name, "reason": str(error)}
        logger.warning("counters_not_read", extra=fields)
        return
    if read.sample is not None:
        await on.publisher.publish(read.sample)


def _seen(channel: FollowedChannel, posts: list[Post], at_ms: int) -> PostsSeen:
    return PostsSeen(
        channel_id=channel.known_id, observed_at_ms=at_ms, source=channel.source, posts=posts
    )


def _edited(channel: FollowedChannel, posts: list[Post], at_ms: int) -> PostsEdited:
    return PostsEdited(
        channel_id=channel.known_id, observed_at_ms=at_ms, source=channel.source, posts=posts
    )


def _counters(channel: FollowedChannel, posts: list[Post], at_ms: int) -> CountersSampled:
    return CountersSampled(
        channel_id=channel.known_id,
        observed_at_ms=at_ms,
        source=channel.source,
        post_ids=[post.post_id for post in posts],
        views=column([post.views for post in posts]),
        forwards=column([post.forwards for post in posts]),
        replies=column([post.replies for post in posts]),
        reactions=column([_total(post) for post in posts]),
    )


def _total(post: Post) -> int | None:
    return None if post.reactions is None else sum(post.reactions.values())
