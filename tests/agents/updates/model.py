"""The rules of gains again, in the plainest way: one post, one counter at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from streams.units import DAY_MS

Column = list[int | None] | None


@dataclass
class ModelPost:
    date_ms: int | None = None
    sampled_ms: int | None = None
    #: When its views were said last.
    viewed_ms: int | None = None
    values: list[int | None] = field(default_factory=lambda: [None] * 4)
    #: The highest value of each counter since its last baseline.
    highest: list[int | None] = field(default_factory=lambda: [None] * 4)


@dataclass
class Outcome:
    gains: list[int | None] = field(default_factory=lambda: [None] * 4)
    views_pace: float = 0.0
    #: The pace and the gain of each post's views, by id; of one that comes twice their sums.
    paces: dict[int, tuple[float, int]] = field(default_factory=dict)
    measured: int = 0
    fell: int = 0
    late: int = 0
    changed: set[int] = field(default_factory=set)


class ModelAlbums:
    """Which posts count, of albums that never share a post."""

    def __init__(self) -> None:
        self._members: dict[int, list[int]] = {}
        self._leaders: dict[int, int] = {}
        self._deleted: set[int] = set()

    def see(self, albums: Iterable[tuple[int, int | None]]) -> None:
        """Posts and their albums, as one message tells them."""
        told: dict[int, set[int]] = {}
        for post_id, album_id in albums:
            if album_id is not None:
                told.setdefault(album_id, set()).add(post_id)
        for album_id, post_ids in told.items():
            leader = self._leaders.get(album_id)
            if leader is None or leader in self._deleted:
                known = self._members.get(album_id, [])
                new = [post_id for post_id in post_ids if post_id not in known]
                lost = [post_id for post_id in post_ids if post_id == leader]
                if new or lost:
                    self._leaders[album_id] = min(new + lost)
            members = self._members.setdefault(album_id, [])
            members += sorted(post_ids - set(members))

    def delete(self, post_ids: Iterable[int]) -> None:
        for post_id in post_ids:
            if post_id in self._deleted:
                continue
            self._deleted.add(post_id)
            for album_id, leader in self._leaders.items():
                left = [each for each in self._members[album_id] if each not in self._deleted]
                if leader == post_id and left:
                    self._leaders[album_id] = min(left)

    def follows(self, post_id: int) -> bool:
        return any(
            post_id in members and self._leaders.get(album_id) != post_id
            for album_id, members in self._members.items()
        )


def fold(
    posts: dict[int, ModelPost],
    at_ms: int,
    post_ids: list[int],
    columns: list[Column],
    observed: Iterable[int],
    albums: ModelAlbums | None = None,
) -> Outcome:
    """`observed` are all instants at which the channel was observed so far."""
    out = Outcome()
    for position, post_id in enumerate(post_ids):
        post = posts.setdefault(post_id, ModelPost())
        if post.sampled_ms is not None and at_ms < post.sampled_ms:
            out.late += 1
            continue
        counts = albums is None or not albums.follows(post_id)
        values = [None if column is None else column[position] for column in columns]
        gains = [_gain(post, c, v, at_ms, observed, out) for c, v in enumerate(values)]
        if counts:
            _book(post_id, post, gains, at_ms, out)
        if any(v is not None and v != post.values[c] for c, v in enumerate(values)):
            out.changed.add(post_id)
        post.values = [o if v is None else v for o, v in zip(post.values, values, strict=True)]
        post.sampled_ms = at_ms
        if values[0] is not None:
            post.viewed_ms = at_ms
    return out


def _book(
    post_id: int, post: ModelPost, gains: list[tuple[int, bool] | None], at_ms: int, out: Outcome
) -> None:
    out.measured += any(gain is not None for gain in gains)
    for counter, measured in enumerate(gains):
        if measured is not None:
            out.gains[counter] = (out.gains[counter] or 0) + measured[0]
    if gains[0] is not None and gains[0][0]:
        gain, from_zero = gains[0]
        since_ms = post.date_ms if from_zero else post.viewed_ms
        assert since_ms is not None
        pace = gain / max(1, (at_ms - since_ms) / 60_000)
        out.views_pace += pace
        before = out.paces.get(post_id, (0.0, 0))
        out.paces[post_id] = (before[0] + pace, before[1] + gain)


def _gain(
    post: ModelPost,
    counter: int,
    new: int | None,
    at_ms: int,
    observed: Iterable[int],
    out: Outcome,
) -> tuple[int, bool] | None:
    """What was gained, and whether from 0; None when it cannot be told."""
    old, high = post.values[counter], post.highest[counter]
    if new is None or (old == new and post.sampled_ms == at_ms):
        return None
    out.fell += old is not None and new < old
    baseline = post.sampled_ms is not None and at_ms - post.sampled_ms > 90 * DAY_MS
    post.highest[counter] = new if high is None or baseline else max(new, high)
    if baseline:
        return None
    if old is None:
        date_ms = post.date_ms
        if date_ms is None or not any(at_ms - DAY_MS <= each < date_ms for each in observed):
            return None
        return new, True
    assert high is not None
    return max(0, new - high), False
