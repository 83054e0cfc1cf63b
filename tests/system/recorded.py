"""A small recording of channels, each of which shows one thing about figures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
CHANNELS = ("albumful", "halfrated", "uncounted", "smallviews", "steady", "sparse")
_IDS = {name: 1_500_000_001 + i for i, name in enumerate(CHANNELS)}


def at(day: int, hour: int = 0, minute: int = 0) -> str:
    return f"2026-01-{day:02}T{hour:02}:{minute:02}:00Z"


def record(folder: Path) -> Path:
    """Writes the recording; returns its folder."""
    folder.mkdir()
    posts = [*_album_posts(), *_rated_posts(), *_uncounted_posts(), *_small_posts()]
    samples = [*_album_samples(), *_small_samples(), *_steady_samples(), *_sparse_samples()]
    _write(folder / "posts.jsonl", [*posts, *_steady_posts(), *_sparse_posts()])
    _write(folder / "view_samples.jsonl", samples)
    _write(folder / "subscriber_samples.jsonl", _steady_subscribers())
    return folder


def _write(path: Path, rows: Sequence[Row]) -> None:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))


def _post(channel: str, number: int, date: str, **rest: Any) -> Row:
    known = {"channel": channel, "channel_id": _IDS[channel], "message_id": number, "date": date}
    return {**known, **rest}


def _sample(channel: str, number: int, sampled_at: str, views: int) -> Row:
    return {"channel": channel, "message_id": number, "sampled_at": sampled_at, "views": views}


def _album_posts() -> list[Row]:
    """An old post, and five photos of one album."""
    album = [
        _post("albumful", 10 + i, at(10, 12), media="photo", album_id=777, text="album" * (not i))
        for i in range(5)
    ]
    return [_post("albumful", 1, at(7, 12), text="old"), *album]


def _album_samples() -> list[Row]:
    """Every member has the album's counter: 10, 60, 100, 300."""
    views = ((at(10, 12, 1), 10), (at(10, 13), 60), (at(10, 18), 100), (at(11, 12), 300))
    members = [_sample("albumful", 10 + i, when, v) for i in range(5) for when, v in views]
    return [_sample("albumful", 1, at(10, 11), 1000), *members]


def _rated_posts() -> list[Row]:
    """Of the first post replies and reactions are not known."""
    first = _post("halfrated", 1, at(10, 12), views=1000, forwards=10, sampled_at=at(11, 12))
    answers = {"forwards": 10, "replies": 20, "reactions": {"👍": 170}}
    second = _post("halfrated", 2, at(10, 12, 1), views=1000, **answers, sampled_at=at(11, 12))
    return [first, second]


def _uncounted_posts() -> list[Row]:
    """Five posts of one day, read two days later, without counters."""
    return [_post("uncounted", i, at(10, 12, i), sampled_at=at(12, 12)) for i in range(1, 6)]


def _small_posts() -> list[Row]:
    return [_post("smallviews", i, at(10, 12)) for i in range(1, 5)]


def _small_samples() -> list[Row]:
    """No view after half an hour, one after an hour and a half: half a view after an hour."""
    views = ((at(10, 12, 30), 0), (at(10, 13, 30), 1))
    return [_sample("smallviews", i, when, v) for i in range(1, 5) for when, v in views]


def _steady_posts() -> list[Row]:
    """Two posts a day from 10 to 12 January."""
    return [
        _post("steady", 1 + 2 * day + half, at(10 + day, 6 + 12 * half))
        for day in range(3)
        for half in range(2)
    ]


def _steady_samples() -> list[Row]:
    """The first post, every five minutes from noon of the first day to noon of the second."""
    minutes = range(12 * 60, 36 * 60 + 1, 5)
    instants = (at(10 + m // 1440, m // 60 % 24, m % 60) for m in minutes)
    return [_sample("steady", 1, when, 10 * i) for i, when in enumerate(instants)]


def _steady_subscribers() -> list[Row]:
    """Every six hours of three days; it grows by one each time."""
    return [
        {"channel": "steady", "sampled_at": at(10 + i // 4, 6 * (i % 4)), "subscribers": 100 + i}
        for i in range(12)
    ]


def _sparse_posts() -> list[Row]:
    """Three of one day, and an old one."""
    old = _post("sparse", 1, at(9, 12, 30))
    return [old, *(_post("sparse", i, at(10, 12, 30)) for i in range(2, 5))]


def _sparse_samples() -> list[Row]:
    """Every two hours; ten views an hour. Of the old post only before and after 48 hours."""
    hours = range(14, 40, 2)
    young = [
        _sample("sparse", i, at(10 + hour // 24, hour % 24), 10 * hour - 125)
        for i in range(2, 5)
        for hour in hours
    ]
    return [*young, *(_sample("sparse", 1, at(11, h), 10 * h + 355) for h in (12, 14))]
