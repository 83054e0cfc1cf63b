"""The real recording through the real way, against the same numbers worked out of its files.

`analyticbot replay` runs as a user runs it; then history is asked, and every answer is compared to
tests/recomputation.py, to the digit.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from tests.recomputation import DAY_MS, HOUR_MS, MINUTE_MS, Recomputed, RecomputedChannel

ROOT = Path(__file__).parent.parent
RECORDING = Path(
    os.environ.get("ANALYTICBOT_TEST_RECORDING", ROOT.parent / "shared" / "data" / "telegram")
)

pytestmark = [
    pytest.mark.skipif(not RECORDING.exists(), reason=f"{RECORDING} is not there"),
    pytest.mark.timeout(600),
]

#: Sampled for months; counters read once, of old and of new posts; without counters; described
#: only; with subscriber samples only, many and one.
CHANNELS = (
    "hykilp",
    "rbc_news",
    "kommersant",
    "d_code",
    "rian_ru",
    "1000724666",
    "1746611944",
    "1288481277",
    "bridgemedia",
    "1006503122",
)


class Replayed(NamedTuple):
    recomputed: Recomputed
    folder: Path

    def channel(self, name: str) -> RecomputedChannel:
        return self.recomputed.channel(f"id{name}" if name.isdigit() else name)

    def ask(self, *questions: list[Any]) -> list[Any]:
        url = f"chdb://{self.folder / 'history'}"
        command = [sys.executable, "-m", "tests.asked_of_history", url]
        asked = msgspec.json.encode(questions)
        done = subprocess.run(command, input=asked, capture_output=True, cwd=ROOT, check=False)
        assert done.returncode == 0, done.stderr.decode()
        answers: list[Any] = msgspec.json.decode(done.stdout)
        return answers


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    folder = tmp_path_factory.mktemp("replayed")
    command = [sys.executable, "-m", "analyticbot.cli", "replay", str(RECORDING), "--speed", "max"]
    environment = {**os.environ, "ANALYTICBOT_DATA": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return Replayed(Recomputed(RECORDING), folder)


def test_everything_is_in_history(replayed: Replayed) -> None:
    [rows] = replayed.ask(["stored", None])
    recomputed = replayed.recomputed
    instants = {
        (row["channel"], row["message_id"], row["sampled_at"])
        for row in [*recomputed.view_samples, *(p for p in recomputed.posts if p["sampled_at"])]
        if row["views"] is not None
    }
    [stored] = rows
    assert stored["posts"] == len(recomputed.posts) == 31_986
    assert len(recomputed.view_samples) == 26_499
    assert stored["view_samples"] == len(instants)
    assert {row["source"] for row in rows} == {"recording"}


@pytest.mark.parametrize("name", CHANNELS)
def test_overview(replayed: Replayed, name: str) -> None:
    channel = replayed.channel(name)
    spans = _spans(channel)
    answers = replayed.ask(*(["overview", name, *span] for span in spans))
    for span, (overview, evidence) in zip(spans, answers, strict=True):
        assert overview == channel.overview(*span)
        known = sum("views" in channel.newest(post) for post in channel.published(*span))
        asked = len(channel.published(*span))
        assert evidence["coverage"] == (known / asked if asked else 0)
        assert evidence["sources"] in (["recording"], [])


@pytest.mark.parametrize("name", CHANNELS)
def test_views_and_growth(replayed: Replayed, name: str) -> None:
    channel = replayed.channel(name)
    stepped = _steps(channel)
    views = replayed.ask(*(["views", name, *span] for span in stepped))
    growth = replayed.ask(*(["growth", name, *span] for span in stepped))
    for span, (points, _) in zip(stepped, views, strict=True):
        assert points == channel.views(*span)
    for span, (points, _) in zip(stepped, growth, strict=True):
        assert points == channel.growth(*span)


@pytest.mark.parametrize("name", CHANNELS)
def test_curves(replayed: Replayed, name: str) -> None:
    channel = replayed.channel(name)
    posts = sorted(channel.dates, key=lambda post: len(channel.samples.get(post, ())))
    chosen = [*posts[:3], *posts[len(posts) // 2 :][:3], *posts[-3:]]
    answers = replayed.ask(*(["curve", name, post] for post in chosen), ["post", name, 10**9])
    assert answers.pop() is None
    for post, (points, evidence) in zip(chosen, answers, strict=True):
        assert points == channel.curve(post)
        assert evidence["coverage"] == float("views" in channel.newest(post))


@pytest.mark.parametrize("name", ["hykilp", "rian_ru"])
def test_pages_of_posts_hold_each_post_once(replayed: Replayed, name: str) -> None:
    channel = replayed.channel(name)
    span = _spans(channel)[0]
    found: list[dict[str, Any]] = []
    cursor = None
    while not found or cursor:
        [[page, _]] = replayed.ask(["posts", name, *span, "views", 500, cursor])
        found += page["rows"]
        cursor = page["cursor"]
    by_views = sorted(
        channel.dates, key=lambda post: (channel.newest(post).get("views", -1), post), reverse=True
    )
    assert [post["post_id"] for post in found] == by_views
    assert {post["post_id"]: post["text"] for post in found} == channel.texts


def _spans(channel: RecomputedChannel) -> list[tuple[int, int]]:
    """All of it; a part from an odd instant on; before it; its last day."""
    first = min([channel.first_observed_ms, *channel.dates.values()])
    start, end = first // DAY_MS * DAY_MS, (channel.last_observed_ms // DAY_MS + 1) * DAY_MS
    odd = start + (end - start) // 3 + 12_345_678
    return [(start, end), (odd, odd + 30 * DAY_MS), (start - DAY_MS, start), (end - DAY_MS, end)]


def _steps(channel: RecomputedChannel) -> list[tuple[int, int, int]]:
    """Days, hours and minutes: from the roll-ups, and from the minutes."""
    (start, end), (odd, _), _, (last, _) = _spans(channel)
    return [
        (start, end, DAY_MS),
        (end - 20 * DAY_MS, end, HOUR_MS),
        (last, end, MINUTE_MS),
        (odd, odd + 10 * DAY_MS, HOUR_MS),
        (odd, odd + DAY_MS, 5 * MINUTE_MS),
    ]
