"""A channel's recent posts: what is known of them, and what a page of history says of them.

Pure: `now_ms` is passed in. Not for what was read of them, which goes into the log at once, and
not for when they are sampled (turns).
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from collect.turns import Schedule, Turns
from streams.events import Post
from streams.ids import PostId

#: Posts that are stored together: those whose ids differ in what is below this only.
PAGE = 100


class Known(msgspec.Struct, array_like=True, gc=False):
    """What is known of a post. Stored: fields are added at the end, with a default."""

    date_ms: int
    #: 0: never edited.
    edit_ms: int
    #: Whether it has reactions. Where that was not stored it may have: they are asked for.
    reacted: bool = True


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
        self._posts: dict[PostId, Known] = {}
        #: Pages that are not stored as they are now.
        self._changed: set[int] = set()
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
            self._put(post.post_id, Known(post.date_ms, post.edit_date_ms or 0, reacted))
        self._turns.put({post.post_id: post.date_ms for post in posts}, now_ms)
        self._shrink()

    def sampled(self, post_ids: Iterable[PostId], now_ms: int) -> None:
        """The counters of what was due were read now."""
        self._turns.sampled(post_ids, now_ms)

    def put_reacted(self, post_ids: Iterable[PostId]) -> None:
        """These have reactions."""
        for post_id in post_ids:
            if (known := self._posts.get(post_id)) and not known.reacted:
                known.reacted = True
                self._changed.add(post_id // PAGE)

    def reacted(self, post_ids: Iterable[PostId]) -> list[PostId]:
        """Those that had reactions when last seen."""
        return [i for i in post_ids if (post := self._posts.get(i)) and post.reacted]

    def drop(self, post_ids: Iterable[PostId]) -> None:
        for post_id in post_ids:
            if self._posts.pop(post_id, None) is not None:
                self._changed.add(post_id // PAGE)
            self._turns.drop(post_id)

    def __iter__(self) -> Iterator[PostId]:
        return iter(self._posts)

    def edited(self, posts: Iterable[Post]) -> list[Post]:
        """Those known that were edited since."""
        known = ((post, self._posts.get(post.post_id)) for post in posts)
        return [post for post, one in known if one and (post.edit_date_ms or 0) > one.edit_ms]

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

    def take_changed(self) -> dict[int, dict[PostId, Known]]:
        """The pages that changed since the last call, as they are now; empty where one is gone."""
        pages, self._changed = self._changed, set()
        spans = {page: range(page * PAGE, (page + 1) * PAGE) for page in pages}
        return {
            page: {PostId(i): self._posts[PostId(i)] for i in span if i in self._posts}
            for page, span in spans.items()
        }

    def not_stored(self, pages: Iterable[int]) -> None:
        """What `take_changed` gave could not be stored."""
        self._changed.update(pages)

    def load(self, pages: Mapping[int, Mapping[PostId, Known]], now_ms: int) -> None:
        """What an earlier run stored. Their turns come as if that one went on, not all at once."""
        for page, posts in pages.items():
            self._posts.update(posts)
            # Versions before kept all posts in one page.
            if elsewhere := {i // PAGE for i in posts} - {page}:
                self._changed |= {page, *elsewhere}
        self._turns.load({i: known.date_ms for i, known in self._posts.items()}, now_ms)
        self._shrink()

    def _put(self, post_id: PostId, known: Known) -> None:
        if self._posts.get(post_id) != known:
            self._posts[post_id] = known
            self._changed.add(post_id // PAGE)

    def _shrink(self) -> None:
        if len(self._posts) > self._most:
            self.drop(heapq.nsmallest(len(self._posts) - self._most, self._posts))
