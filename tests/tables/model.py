"""The rules of gains again, in the plainest way: one post, one counter at a time."""

from dataclasses import dataclass, field

from tables.windows import DAY_MS

Column = list[int | None] | None


@dataclass
class ModelPost:
    date_ms: int | None = None
    sampled_ms: int | None = None
    #: When its views were said last.
    viewed_ms: int | None = None
    values: list[int | None] = field(default_factory=lambda: [None] * 4)


@dataclass
class Outcome:
    gains: list[int | None] = field(default_factory=lambda: [None] * 4)
    views_pace: float = 0.0
    measured: int = 0
    fell: int = 0
    late: int = 0
    changed: set[int] = field(default_factory=set)


def fold(
    posts: dict[int, ModelPost], at_ms: int, post_ids: list[int], columns: list[Column], first: int
) -> Outcome:
    out = Outcome()
    for position, post_id in enumerate(post_ids):
        post = posts.setdefault(post_id, ModelPost())
        if post.sampled_ms is not None and at_ms < post.sampled_ms:
            out.late += 1
            continue
        values = [None if column is None else column[position] for column in columns]
        measured = [_fold(post, c, v, at_ms, first, out) for c, v in enumerate(values)]
        out.measured += any(measured)
        if any(v is not None and v != post.values[c] for c, v in enumerate(values)):
            out.changed.add(post_id)
        post.values = [o if v is None else v for o, v in zip(post.values, values, strict=True)]
        post.sampled_ms = at_ms
        if values[0] is not None:
            post.viewed_ms = at_ms
    return out


def _fold(
    post: ModelPost, counter: int, new: int | None, at_ms: int, first: int, out: Outcome
) -> bool:
    """Whether the counter's increment was measured."""
    old, since_ms = post.values[counter], post.viewed_ms
    if new is None or (old == new and post.sampled_ms == at_ms):
        return False
    if old is None:
        date_ms = post.date_ms
        if date_ms is None or date_ms <= first or at_ms - date_ms > DAY_MS:
            return False
        old, since_ms = 0, date_ms
    else:
        out.fell += new < old
        assert post.sampled_ms is not None
        if at_ms - post.sampled_ms > 90 * DAY_MS:
            return False
    out.gains[counter] = (out.gains[counter] or 0) + max(0, new - old)
    if counter == 0:
        assert since_ms is not None
        out.views_pace += max(0, new - old) / max(1, (at_ms - since_ms) / 60_000)
    return True
