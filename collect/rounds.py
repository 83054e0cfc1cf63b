"""The order in which known posts are compared with Telegram, after something may have been missed.

Each round compares all, newest first. A round that the next one interrupts continues to the oldest
post before it repeats those above: however often that happens, it skips none.
Pure.
"""

from collections.abc import Collection

from streams.ids import PostId

#: Above every post.
TOP = PostId(1 << 62)


class Round:
    """No round is under way at first. `at` is where one stands: those below it come next."""

    def __init__(self) -> None:
        self.at: PostId | None = None
        #: Where this round ends after it has begun from the top again; None: at the oldest.
        self._until: PostId | None = None
        self._wrapped = False

    def begin(self, at: PostId | None = None) -> None:
        """Begin a round over all known posts; `at`: the position of an earlier run."""
        self.at = at or self.at or TOP
        self._until = None if self.at == TOP else self.at
        self._wrapped = False

    def next(self, known: Collection[PostId], most: int) -> list[PostId]:
        """The posts of one request, newest first; empty ends the round."""
        while self.at is not None:
            lowest = (self._until if self._wrapped else None) or PostId(0)
            below = sorted((i for i in known if lowest <= i < self.at), reverse=True)
            if below:
                return below[:most]
            again = self._until is not None and not self._wrapped
            self.at = TOP if again else None
            self._wrapped = True
        return []

    def done(self, post_ids: Collection[PostId]) -> None:
        """The posts of `next` were compared."""
        if self.at is not None and post_ids:
            self.at = min(post_ids)
