"""The pure steps over made recordings, against what tests/recomputation.py works out of the files.

The recorded channels at hand have neither albums nor counters that fall; these have plenty, and
hours and days in which nobody looked.
"""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from streams.analytics import ActivityWindow, PostAge
from streams.recording import Recording
from streams.sources.recorded_events import events_of
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS
from tables.windows import start_of
from tests.agents.pure import Pure
from tests.recomputation import COUNTERS, Recomputed, RecomputedChannel

T = 28_333_334 * MINUTE_MS
KEY = "made"
CHANNEL_ID = 1_500_000_001

Row = dict[str, Any]


@pytest.mark.parametrize("seed", range(6))
def test_gains_ages_and_observed_time_of_a_made_channel(tmp_path: Path, seed: int) -> None:
    _write(tmp_path, random.Random(seed))
    channel = Recomputed(tmp_path).channel(KEY)
    pure = Pure()
    pure.fold_all(events_of(Recording(tmp_path)))
    windows = {w.start_ms: w for w in pure.upserts.values() if isinstance(w, ActivityWindow)}
    expected = channel.gains
    assert len(channel._followers) > 20
    assert sum(gains.get("views", 0) for gains in expected.values()) > 1000
    assert {start: _gains(window) for start, window in windows.items() if _gains(window)} == {
        start: gains for start, gains in expected.items() if gains
    }
    assert {
        start: (window.sampled_from_ms, window.sampled_to_ms)
        for start, window in windows.items()
        if window.sampled_to_ms is not None
    } == _rests_on(channel)
    ages = [a for a in pure.upserts.values() if isinstance(a, PostAge) and a.views is not None]
    assert {(age.post_id, age.age_s): age.views for age in ages} == pytest.approx(
        {
            (post_id, age_s): float(views)
            for post_id, known in channel.views_at_ages.items()
            for age_s, views in known.items()
        }
    )
    assert any(isinstance(age.views, float) and not age.views.is_integer() for age in ages)


def _gains(window: ActivityWindow) -> Row:
    gains = {name: getattr(window, f"{name}_gained") for name in COUNTERS}
    return {name: gained for name, gained in gains.items() if gained is not None}


def _rests_on(channel: RecomputedChannel) -> dict[int, tuple[int | None, int]]:
    instants = sorted({at_ms for samples in channel.samples.values() for at_ms in samples})
    rests: dict[int, tuple[int | None, int]] = {}
    before_ms: int | None = None
    for at_ms in instants:
        start_ms = start_of(at_ms, MINUTE_MS)
        if start_ms in rests:
            rests[start_ms] = (rests[start_ms][0], at_ms)
        else:
            near = before_ms is not None and at_ms - before_ms <= DAY_MS
            rests[start_ms] = (before_ms if near else None, at_ms)
        before_ms = at_ms
    return rests


def _write(folder: Path, chance: random.Random) -> None:
    """Forty times a post, or an album of some; sampled now and then, sometimes not for days."""
    instants = _instants(chance)
    posts: list[Row] = []
    samples: list[Row] = []
    post_id = 50
    for number in range(40):
        date_ms = chance.randrange(instants[0] - HOUR_MS, instants[-1])
        size = chance.choice([1, 1, 2, 4, 10])
        album_id = None if size == 1 else 10**13 + number
        counter = _counters(chance, [at_ms for at_ms in instants if at_ms > date_ms])
        for _ in range(size):
            post_id += 1
            posts.append(_post(chance, post_id, date_ms, album_id))
            # A member may be sampled later than others of its album.
            left_out = chance.choice([0, 0, 0, 1])
            samples += [
                {"channel": KEY, "message_id": post_id, "sampled_at": _iso(at_ms), "views": views}
                for at_ms, views in counter[left_out:]
            ]
    subscribers = [
        {"channel": KEY, "sampled_at": _iso(at_ms + 7 * MINUTE_MS), "subscribers": 100}
        for at_ms in instants[::9]
    ]
    channels = [{"channel": KEY, "channel_id": CHANNEL_ID, "title": "Made"}]
    for name, rows in (
        ("channels", channels),
        ("posts", posts),
        ("view_samples", samples),
        ("subscriber_samples", subscribers),
    ):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _instants(chance: random.Random) -> list[int]:
    instants = [T]
    for _ in range(150):
        step_ms = chance.choice([20_000, MINUTE_MS, 4 * MINUTE_MS, 17 * MINUTE_MS, 2 * HOUR_MS])
        instants.append(instants[-1] + (step_ms if chance.random() < 0.97 else 2 * DAY_MS))
    return instants


def _counters(chance: random.Random, instants: Sequence[int]) -> list[tuple[int, int]]:
    """Of one counter; it grows, and falls now and then."""
    views, told = 0, []
    for at_ms in instants:
        views = max(0, views + chance.choice([0, 1, 7, 40, 40, -15]))
        if chance.random() < 0.8:
            told.append((at_ms, views))
    return told


def _post(chance: random.Random, post_id: int, date_ms: int, album_id: int | None) -> Row:
    own = chance.random() < 0.3
    sampled_ms = date_ms + chance.randrange(HOUR_MS)
    return {
        "channel": KEY,
        "channel_id": CHANNEL_ID,
        "message_id": post_id,
        "date": _iso(date_ms),
        "text": "",
        "album_id": album_id,
        "sampled_at": _iso(sampled_ms) if own else None,
        "views": chance.randrange(20) if own else None,
        "forwards": chance.randrange(5) if own else None,
        "replies": None,
        "reactions": {"👍": 2} if own and chance.random() < 0.5 else None,
    }


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
