"""A channel's recent posts: what is known of them, and what a page of history says of them.

Pure: `now_ms` is passed in. Not for what was read of them, which goes into the log at once, and
not for when they are sampled (turns).
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from streams.events import Post
from streams.ids import PostId
from streams.sources.telegram.turns import Schedule, Turns


class _Recent(msgspec.Struct):
    date_ms: int
    edit_ms: int
    reacted: bool


class Compared(NamedTuple):
    """What a page says of the posts: not known before, edited since, the rest, and missing ones."""

    new: list[Post]
    edited: list[Post]
    unchanged: list[Post]
    #: Known, newest first, but not on the page although it spans them: deleted, or younger than it.
    missing: list[PostId]


class RecentPosts:
    """At most `most` posts, the newest. Those that the schedule reaches are sampled in turns."""

    def __init__(self, schedule: Schedule, most: int, phase_ms: int = 0) -> None:
        self._most = most
        self._posts: dict[PostId, _Recent] = {}
        self._turns = Turns(schedule, phase_ms)
        #: The age at which a post is no longer sampled.
        self.horizon_ms = schedule[-1][0] if schedule else 0

    def __len__(self) -> int:
        return len(self._posts)

    def __contains__(self, post_id: PostId) -> bool:
        return post_id in self._posts

    def on_grid(self, time_ms: int) -> int:
        """The last instant, not after `time_ms`, at which samples may be due."""
        return self._turns.on_grid(time_ms)

    def put(self, posts: Iterable[Post], now_ms: int) -> None:
        """Posts as they were read now, with their counters."""
        posts = list(posts)
        for post in posts:
            reacted = bool(post.reactions)
            self._posts[post.post_id] = _Recent(post.date_ms, post.edit_date_ms or 0, reacted)
        self._turns.put({post.post_id: post.date_ms for post in posts}, now_ms)
        self._shrink()

    def sampled(self, post_ids: Iterable[PostId], now_ms: int) -> None:
        """The counters of what was due were read now."""
        self._turns.sampled(post_ids, now_ms)

    def put_reacted(self, post_ids: Iterable[PostId]) -> None:
        """These have reactions."""
        for post_id in post_ids:
            if known := self._posts.get(post_id):
                known.reacted = True

    def reacted(self, post_ids: Iterable[PostId]) -> list[PostId]:
        """Those that had reactions when last seen."""
        return [i for i in post_ids if (post := self._posts.get(i)) and post.reacted]

    def drop(self, post_ids: Iterable[PostId]) -> None:
        for post_id in post_ids:
            self._posts.pop(post_id, None)
            self._turns.drop(post_id)

    def due(self, now_ms: int) -> list[PostId]:
        """The posts of one request, if one is due now; the same until they are `sampled`."""
        return self._turns.due(now_ms)

    def next_due_ms(self) -> int | None:
        return self._turns.next_due_ms()

    def compare(self, posts: Sequence[Post], oldest: PostId, below: PostId | None) -> Compared:
        """`posts` are all that history holds from `oldest` up to `below` (None: to the newest)."""
        compared = Compared([], [], [], [])
        for post in posts:
            known = self._posts.get(post.post_id)
            if known is None:
                compared.new.append(post)
            elif (post.edit_date_ms or 0) > known.edit_ms:
                compared.edited.append(post)
            else:
                compared.unchanged.append(post)
        there = {post.post_id for post in posts}
        spanned = (i for i in self._posts if i >= oldest and (below is None or i < below))
        compared.missing.extend(sorted((i for i in spanned if i not in there), reverse=True))
        return compared

    def newest(self, count: int) -> dict[PostId, tuple[int, int]]:
        """Date and edit date (0: never) of the newest posts: what `load` takes."""
        newest = heapq.nlargest(count, self._posts)
        return {i: (self._posts[i].date_ms, self._posts[i].edit_ms) for i in newest}

    def load(self, posts: Mapping[PostId, tuple[int, int]], now_ms: int) -> None:
        """What an earlier run kept; nothing of it is due before it was seen again."""
        for post_id, (date_ms, edit_ms) in posts.items():
            self._posts[post_id] = _Recent(date_ms, edit_ms, reacted=False)
        self._turns.put({i: date_ms for i, (date_ms, _) in posts.items()}, now_ms)

    def _shrink(self) -> None:
        if len(self._posts) > self._most:
            self.drop(heapq.nsmallest(len(self._posts) - self._most, self._posts))
