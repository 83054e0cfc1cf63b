"""Albums count once: one post of an album, its leader, counts; its other posts follow.

Telegram counts one view of an album in each of its posts, so their sum is not a number of views.
The leader is the lowest id of the posts known when the album was first seen. A leader's bucket
lists its followers; a follower's bucket marks it as a follower.
"""

from collections.abc import Mapping, Sequence

from agents.updates.buckets import Buckets, bucket_of, place_of
from streams.ids import PostId

#: Number of albums per channel whose leaders are remembered, to recognise the albums' other posts.
#: A page of history has at most 50.
KEPT = 64

#: Leaders by album id; the album seen last is the last entry.
Leaders = dict[int, PostId]


def see_albums(
    leaders: Leaders, buckets: Buckets, members: Mapping[int, Sequence[PostId]]
) -> set[int]:
    """Record which posts belong to albums. Returns the numbers of the buckets changed."""
    touched: set[int] = set()
    for album_id, post_ids in members.items():
        leader = _leader(leaders, buckets, album_id, post_ids)
        if leader is None:
            continue
        for post_id in post_ids:
            if post_id != leader and not is_follower(buckets, post_id):
                _follow(buckets, leader, post_id)
                touched |= {bucket_of(post_id), bucket_of(leader)}
    return touched


def drop_leader(leaders: Leaders, buckets: Buckets, post_id: PostId) -> set[int]:
    """Handle a post's deletion: if it led an album, its lowest remaining follower becomes leader.

    Returns the numbers of the buckets changed.
    """
    number, slot = place_of(post_id)
    distances = buckets[number].led.pop(slot, ())
    # A follower's bucket may have been dropped meanwhile, and its mark with the bucket.
    left = sorted(
        follower
        for follower in (PostId(post_id + distance) for distance in distances)
        if is_follower(buckets, follower) and not _is_deleted(buckets, follower)
    )
    if not left:
        return set()
    leader, *followers = left
    _lead(buckets, leader, followers)
    for album_id, known in leaders.items():
        if known == post_id:
            leaders[album_id] = leader
    return {bucket_of(leader)}


def is_follower(buckets: Buckets, post_id: PostId) -> bool:
    number, slot = place_of(post_id)
    return slot in buckets[number].followers


def _leader(
    leaders: Leaders, buckets: Buckets, album_id: int, post_ids: Sequence[PostId]
) -> PostId | None:
    """The album's leader; None if no leader is remembered and all `post_ids` are followers."""
    leader = leaders.pop(album_id, None)
    if leader is None or _is_deleted(buckets, leader):
        leader = min((each for each in post_ids if not is_follower(buckets, each)), default=None)
    if leader is not None:
        leaders[album_id] = leader
        if len(leaders) > KEPT:
            del leaders[next(iter(leaders))]
    return leader


def _follow(buckets: Buckets, leader: PostId, post_id: PostId) -> None:
    number, slot = place_of(post_id)
    buckets[number].followers.append(slot)
    number, slot = place_of(leader)
    buckets[number].led.setdefault(slot, []).append(post_id - leader)


def _lead(buckets: Buckets, leader: PostId, followers: Sequence[PostId]) -> None:
    number, slot = place_of(leader)
    bucket = buckets[number]
    bucket.followers.remove(slot)
    if followers:
        bucket.led[slot] = [post_id - leader for post_id in followers]


def _is_deleted(buckets: Buckets, post_id: PostId) -> bool:
    number, slot = place_of(post_id)
    return bool(buckets[number].deleted >> slot & 1)
