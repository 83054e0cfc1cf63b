"""In which order the posts known are compared with Telegram, after something may have been missed.

Each time all of them are, the newest first. A round that is interrupted by the next one goes on to
the oldest before it takes those above once more: however often that happens, none is left out.
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
        """All posts known are to be compared from now on; `at`: where an earlier run stood."""
        self.at = at or self.at or TOP
        self._until = None if self.at == TOP else self.at
        self._wrapped = False

    def next(self, known: Collection[PostId], most: int) -> list[PostId]:
        """The posts of one request, newest first; none where the round is over, and then it is."""
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
        """What `next` gave was compared."""
        if self.at is not None and post_ids:
            self.at = min(post_ids)
