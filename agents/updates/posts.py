"""Fold a message into the rows of its posts; the steps after it say what that means."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from agents.updates.albums import drop_leader, is_follower, see_albums
from agents.updates.buckets import place_of
from agents.updates.folding import Turn
from agents.updates.gains import Sample, fold_sample
from streams.analytics import Window
from streams.events import (
    ChannelDescribed,
    ChannelStatus,
    CountersSampled,
    Post,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
    StatisticsRead,
    SubscribersSampled,
)
from streams.ids import PostId


def fold_posts(turn: Turn) -> Iterable[Window]:
    """Learn dates, edits, deletions and counters. Sends nothing."""
    event = turn.event
    match event:
        case CountersSampled():
            columns = (event.views, event.forwards, event.replies, event.reactions)
            _fold(turn, Sample(event.observed_at_ms, event.post_ids, columns))
        case PostsSeen():
            _see(turn, event.posts, None)
        case PostsEdited():
            _see(turn, event.posts, event.observed_at_ms)
        case PostsDeleted():
            _delete(turn, event.post_ids)
        case SubscribersSampled() | ChannelDescribed() | ChannelStatus() | StatisticsRead():
            pass
        case _:
            assert_never(event)
    return ()


def sample_of(posts: Sequence[Post], observed_at_ms: int) -> Sample | None:
    """The counters that came with posts; None when there were none."""
    counted = [post for post in posts if _has_counters(post)]
    if not counted:
        return None
    columns = (
        [post.views for post in counted],
        [post.forwards for post in counted],
        [post.replies for post in counted],
        [None if post.reactions is None else sum(post.reactions.values()) for post in counted],
    )
    return Sample(observed_at_ms, [post.post_id for post in counted], columns)


def _has_counters(post: Post) -> bool:
    return not (
        post.views is None
        and post.forwards is None
        and post.replies is None
        and post.reactions is None
    )


def _fold(turn: Turn, sample: Sample) -> None:
    moved = fold_sample(turn.buckets, sample, turn.channel.gaps)
    turn.moved = moved
    turn.sampled = len(sample.post_ids) if sample.tells else 0
    if moved.fell:
        turn.handled["counter_fell"] += moved.fell
    if moved.repeated == len(sample.post_ids) > 0:
        turn.handled["duplicate"] += 1


def _see(turn: Turn, posts: Sequence[Post], edited_ms: int | None) -> None:
    turn.touched |= see_albums(turn.channel.leaders, turn.buckets, _albums(posts))
    for post in posts:
        number, slot = place_of(post.post_id)
        bucket = turn.buckets[number]
        if bucket.see(slot, post.date_ms):
            turn.seen.append(post.post_id)
            turn.published.append((post.date_ms, not is_follower(turn.buckets, post.post_id)))
        post_edited_ms = edited_ms if post.edit_date_ms is None else post.edit_date_ms
        if post_edited_ms is not None and bucket.edit(slot, post_edited_ms):
            turn.edited_ms.append(post_edited_ms)
    sample = sample_of(posts, turn.event.observed_at_ms)
    if sample is not None:
        _fold(turn, sample)


def _albums(posts: Sequence[Post]) -> Mapping[int, Sequence[PostId]]:
    """The posts of each album."""
    members: defaultdict[int, list[PostId]] = defaultdict(list)
    for post in posts:
        if post.album_id is not None:
            members[post.album_id].append(post.post_id)
    return members


def _delete(turn: Turn, post_ids: Sequence[PostId]) -> None:
    for post_id in post_ids:
        number, slot = place_of(post_id)
        if turn.buckets[number].delete(slot):
            turn.deleted += 1
            turn.touched |= drop_leader(turn.channel.leaders, turn.buckets, post_id)
