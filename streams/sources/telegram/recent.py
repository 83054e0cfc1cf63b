"""A channel's recent posts: when each is to be sampled, and what a page of history says of them.

Pure: `now_ms` is passed in. Not for what was read of them, which goes into the log at once.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from streams.events import MAX_POSTS, Post
from streams.ids import PostId

#: (younger than, sampled every), in milliseconds, growing.
Schedule = Sequence[tuple[int, int]]


class _Recent(msgspec.Struct):
    date_ms: int
    edit_ms: int
    reacted: bool
    due_ms: int


class Compared(NamedTuple):
    """What a page says of the posts: not known before, edited since, the rest, and missing ones."""

    new: list[Post]
    edited: list[Post]
    unchanged: list[Post]
    #: Known, newest first, but not on the page although it spans them: deleted, or younger than it.
    missing: list[PostId]


class RecentPosts:
    """At most `most` posts, the newest, none older than the schedule reaches."""

    def __init__(self, schedule: Schedule, most: int) -> None:
        self._schedule = schedule
        self._most = most
        self._posts: dict[PostId, _Recent] = {}
        self._dues: list[tuple[int, PostId]] = []

    def __len__(self) -> int:
        return len(self._posts)

    def __contains__(self, post_id: PostId) -> bool:
        return post_id in self._posts

    @property
    def horizon_ms(self) -> int:
        """The age at which a post is left alone."""
        return self._schedule[-1][0] if self._schedule else 0

    def put(self, posts: Iterable[Post], now_ms: int) -> None:
        """Posts whose counters were read now."""
        for post in posts:
            edit_ms = post.edit_date_ms or 0
            self._put(post.post_id, post.date_ms, edit_ms, bool(post.reactions), now_ms)
        self._shrink()

    def sampled(self, post_ids: Iterable[PostId], now_ms: int) -> None:
        """The counters of these were read now."""
        for post_id in post_ids:
            if known := self._posts.get(post_id):
                self._put(post_id, known.date_ms, known.edit_ms, known.reacted, now_ms)

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

    def due(self, now_ms: int) -> list[PostId]:
        """At most MAX_POSTS posts whose sample is due, the longest overdue first."""
        found: dict[PostId, int] = {}
        while self._dues and self._dues[0][0] <= now_ms and len(found) < MAX_POSTS:
            due_ms, post_id = heapq.heappop(self._dues)
            post = self._posts.get(post_id)
            if post is None or post.due_ms != due_ms:
                continue
            if self._every_ms(now_ms - post.date_ms) is None:
                del self._posts[post_id]
                continue
            found[post_id] = due_ms
        for post_id, due_ms in found.items():  # until `sampled` says otherwise they stay due
            heapq.heappush(self._dues, (due_ms, post_id))
        return list(found)

    def next_due_ms(self) -> int | None:
        while self._dues:
            due_ms, post_id = self._dues[0]
            post = self._posts.get(post_id)
            if post is not None and post.due_ms == due_ms:
                return due_ms
            heapq.heappop(self._dues)
        return None

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
            self._put(post_id, date_ms, edit_ms, False, now_ms)

    def _put(self, post_id: PostId, date_ms: int, edit_ms: int, reacted: bool, now_ms: int) -> None:
        every_ms = self._every_ms(now_ms - date_ms)
        if every_ms is None:
            self._posts.pop(post_id, None)
            return
        due_ms = now_ms + every_ms
        known = self._posts.get(post_id)
        self._posts[post_id] = _Recent(date_ms, edit_ms, reacted, due_ms)
        if known is None or known.due_ms != due_ms:
            heapq.heappush(self._dues, (due_ms, post_id))

    def _every_ms(self, age_ms: int) -> int | None:
        for younger_than_ms, every_ms in self._schedule:
            if age_ms < younger_than_ms:
                return every_ms
        return None

    def _shrink(self) -> None:
        if len(self._posts) > self._most:
            keep = set(heapq.nlargest(self._most, self._posts))
            self._posts = {i: post for i, post in self._posts.items() if i in keep}
        if len(self._dues) > 4 * len(self._posts) + 1000:
            self._dues = [(post.due_ms, i) for i, post in self._posts.items()]
            heapq.heapify(self._dues)
