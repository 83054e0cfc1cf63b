"""Fold a message into the rows of its posts; later steps derive windows from the changes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from agents.updates.albums import drop_leader, is_follower, see_albums
from agents.updates.buckets import place_of
from agents.updates.folding import Fold
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


def fold_posts(fold: Fold) -> Iterable[Window]:
    """Record dates, edits, deletions and counters. Yields no output."""
    event = fold.event
    match event:
        case CountersSampled():
            columns = (event.views, event.forwards, event.replies, event.reactions)
            _fold(fold, Sample(event.observed_at_ms, event.post_ids, columns))
        case PostsSeen():
            _see(fold, event.posts, None)
        case PostsEdited():
            _see(fold, event.posts, event.observed_at_ms)
        case PostsDeleted():
            _delete(fold, event.post_ids)
        case SubscribersSampled() | ChannelDescribed() | ChannelStatus() | StatisticsRead():
            pass
        case _:
            assert_never(event)
    return ()


def sample_of(posts: Sequence[Post], observed_at_ms: int) -> Sample | None:
    """The counters contained in `posts`; None if there are none."""
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


def _fold(fold: Fold, sample: Sample) -> None:
    moved = fold_sample(fold.buckets, sample, fold.channel.gaps)
    fold.moved = moved
    fold.sampled = len(sample.post_ids) if sample.tells else 0
    if moved.fell:
        fold.handled["counter_fell"] += moved.fell
    if moved.repeated == len(sample.post_ids) > 0:
        fold.handled["duplicate"] += 1


def _see(fold: Fold, posts: Sequence[Post], edited_ms: int | None) -> None:
    fold.touched |= see_albums(fold.channel.leaders, fold.buckets, _albums(posts))
    for post in posts:
        number, slot = place_of(post.post_id)
        bucket = fold.buckets[number]
        if bucket.see(slot, post.date_ms):
            fold.seen.append(post.post_id)
            fold.published.append((post.date_ms, not is_follower(fold.buckets, post.post_id)))
        post_edited_ms = edited_ms if post.edit_date_ms is None else post.edit_date_ms
        if post_edited_ms is not None and bucket.edit(slot, post_edited_ms):
            fold.edited_ms.append(post_edited_ms)
    sample = sample_of(posts, fold.event.observed_at_ms)
    if sample is not None:
        _fold(fold, sample)


def _albums(posts: Sequence[Post]) -> Mapping[int, Sequence[PostId]]:
    """The posts of each album."""
    members: defaultdict[int, list[PostId]] = defaultdict(list)
    for post in posts:
        if post.album_id is not None:
            members[post.album_id].append(post.post_id)
    return members


def _delete(fold: Fold, post_ids: Sequence[PostId]) -> None:
    for post_id in post_ids:
        number, slot = place_of(post_id)
        if fold.buckets[number].delete(slot):
            fold.deleted += 1
            fold.touched |= drop_leader(fold.channel.leaders, fold.buckets, post_id)
