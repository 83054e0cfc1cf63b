"""When which posts of a channel are sampled: in turns, spread evenly. Pure; `now_ms` is passed in.

Posts of one age are a class with a sampling interval. Each turn takes from every class the share
that keeps its interval, the longest unread first. A request has room for MAX_POSTS posts, so it is
filled up with others, youngest class first. So every turn samples about the same number of posts of
each class, and no minute books the gains of earlier minutes.

Turns lie on a grid, as frequent as the interval of the youngest class while it has posts; an older
class alone has one turn per post, at most as often as the interval of the class before it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from streams.events import MAX_POSTS
from streams.ids import PostId

#: (younger than, sampled every), in milliseconds, growing.
Schedule = Sequence[tuple[int, int]]


class _Read(NamedTuple):
    date_ms: int
    read_ms: int


class _Class:
    """Posts of one age, the longest unread first."""

    def __init__(self, younger_than_ms: int, every_ms: int, step_ms: int) -> None:
        self.younger_than_ms = younger_than_ms
        self.every_ms = every_ms
        #: The shortest pause between turns for this class alone.
        self.step_ms = step_ms
        self.posts: dict[PostId, _Read] = {}
        #: Posts owed by past turns; fractions add up.
        self.owed = 0.0

    @property
    def oldest_ms(self) -> int:
        """When the longest unread post was read."""
        return next(iter(self.posts.values())).read_ms

    def share(self, pause_ms: int) -> float:
        """The posts that a turn after this pause must take, on average."""
        return min(len(self.posts) * pause_ms / self.every_ms, len(self.posts))


class _Line:
    """A class during one turn: its posts not read since `fresh_ms`, of which `owed` are due."""

    def __init__(self, of: _Class, fresh_ms: int, owed: float) -> None:
        self._posts: Iterator[tuple[PostId, _Read]] = iter(of.posts.items())
        self._fresh_ms = fresh_ms
        self.owed = owed
        self.every_ms = of.every_ms
        self.head: tuple[PostId, _Read] | None = None
        self._advance()

    def take(self, head: tuple[PostId, _Read]) -> PostId:
        self.owed -= 1
        self._advance()
        return head[0]

    def _advance(self) -> None:
        head = next(self._posts, None)
        self.head = head if head is not None and head[1].read_ms < self._fresh_ms else None


class Turns:
    """The turns of one channel. `phase_ms` shifts the grid, to spread the turns of channels."""

    def __init__(self, schedule: Schedule, phase_ms: int = 0) -> None:
        steps = [every_ms for _, every_ms in schedule]
        self._classes = [
            _Class(younger_than_ms, every_ms, step_ms)
            for (younger_than_ms, every_ms), step_ms in zip(
                schedule, steps[:1] + steps[:-1], strict=True
            )
        ]
        self._grid_ms = steps[0] if steps else 1
        self._phase_ms = phase_ms
        self._class_of: dict[PostId, _Class] = {}
        #: The time of the last turn.
        self._turn_ms = 0

    def __len__(self) -> int:
        return len(self._class_of)

    def __contains__(self, post_id: PostId) -> bool:
        return post_id in self._class_of

    def on_grid(self, time_ms: int) -> int:
        """The last instant of the grid that is not after `time_ms`."""
        return time_ms - (time_ms - self._phase_ms) % self._grid_ms

    def put(self, dates_ms: Mapping[PostId, int], now_ms: int) -> None:
        """Add posts by date, whose counters were read now. Ignores posts that are too old.

        Separates neighbours: otherwise the youngest posts of a page would always share one turn and
        the oldest another, and the minutes between them would gain less.
        """
        before_ms = self._pause_ms()
        for post_id in sorted(dates_ms, key=_scattered):
            self._put(post_id, dates_ms[post_id], now_ms)
        after_ms = self._pause_ms()
        if after_ms is not None and (before_ms is None or after_ms < before_ms):
            self._turn_ms = max(self._turn_ms, now_ms)

    def load(self, dates_ms: Mapping[PostId, int], now_ms: int) -> None:
        """Add posts that another process sampled at unknown times: assumes these spread evenly over
        the interval of each class, so that not all are due at once."""
        for one in self._classes:
            mine = [i for i, date_ms in dates_ms.items() if self._class_at(now_ms - date_ms) is one]
            for post_id in sorted(mine, key=_scattered):
                read_ms = now_ms - one.every_ms + one.every_ms * _scattered(post_id) // (1 << 32)
                one.posts[post_id] = _Read(dates_ms[post_id], read_ms)
                self._class_of[post_id] = one
        self._turn_ms = max(self._turn_ms, now_ms)

    def drop(self, post_id: PostId) -> None:
        if known := self._class_of.pop(post_id, None):
            del known.posts[post_id]

    def due(self, now_ms: int) -> list[PostId]:
        """The posts of one request, if one is due: late ones first."""
        due_ms = self.next_due_ms()
        if due_ms is None or due_ms > now_ms:
            return []
        self._drop_aged(now_ms)
        fresh_ms, turns_ms = self.on_grid(now_ms), self._begun_ms(now_ms)
        lines = [
            _Line(one, fresh_ms, one.owed + one.share(turns_ms))
            for one in self._classes
            if one.posts
        ]
        found: list[PostId] = []
        for wanted in (self._is_late(now_ms), _is_owed, _is_there):
            for line in lines:
                while len(found) < MAX_POSTS and (head := line.head) and wanted(line, head[1]):
                    found.append(line.take(head))
        return found

    def sampled(self, post_ids: Iterable[PostId], now_ms: int) -> None:
        """The counters of the posts of `due` were read now; without posts the turn is over."""
        turns_ms = self._begun_ms(now_ms)
        for one in self._classes:
            one.owed = min(one.owed + one.share(turns_ms), len(one.posts))
        self._turn_ms = now_ms
        nothing = True
        for post_id in post_ids:
            if known := self._class_of.get(post_id):
                nothing = False
                known.owed = max(known.owed - 1, 0)
                self._put(post_id, known.posts[post_id].date_ms, now_ms)
        if nothing:
            for one in self._classes:
                one.owed = 0

    def next_due_ms(self) -> int | None:
        pause_ms = self._pause_ms()
        if pause_ms is None:
            return None
        if sum(int(one.owed) for one in self._classes) >= MAX_POSTS:
            return self._turn_ms
        late = (one.oldest_ms + one.every_ms for one in self._classes if one.posts)
        return self.on_grid(min(self._turn_ms + pause_ms, *late))

    def _pause_ms(self) -> int | None:
        """The pause between turns."""
        pauses = [
            max(one.step_ms, -(-one.every_ms // (len(one.posts) * self._grid_ms)) * self._grid_ms)
            for one in self._classes
            if one.posts
        ]
        return min(pauses, default=None)

    def _put(self, post_id: PostId, date_ms: int, now_ms: int) -> None:
        self.drop(post_id)
        if one := self._class_at(now_ms - date_ms):
            one.posts[post_id] = _Read(date_ms, now_ms)
            self._class_of[post_id] = one

    def _class_at(self, age_ms: int) -> _Class | None:
        """None for posts that are no longer sampled."""
        return next((one for one in self._classes if age_ms < one.younger_than_ms), None)

    def _drop_aged(self, now_ms: int) -> None:
        """Drop aged posts at the head of the oldest class; others follow when they get there."""
        last = self._classes[-1]
        while last.posts:
            post_id, post = next(iter(last.posts.items()))
            if now_ms - post.date_ms < last.younger_than_ms:
                break
            self.drop(post_id)

    def _begun_ms(self, now_ms: int) -> int:
        """The pause before a turn that begins now; 0 within a turn."""
        pause_ms = self._pause_ms() or 0
        return pause_ms if self.on_grid(self._turn_ms + pause_ms) <= now_ms else 0

    def _is_late(self, now_ms: int) -> Callable[[_Line, _Read], bool]:
        return lambda line, read: self.on_grid(read.read_ms + line.every_ms) <= now_ms


def _scattered(post_id: PostId) -> int:
    """A fixed order in which neighbours are far apart (a step of the golden ratio)."""
    return post_id * 0x9E3779B1 & 0xFFFFFFFF


def _is_owed(line: _Line, _read: _Read) -> bool:
    return line.owed >= 1


def _is_there(_line: _Line, _read: _Read) -> bool:
    return True
