"""The real recording through the real way, against the same numbers worked out of its files.

`analyticbot replay` runs as a user runs it; then history is asked, and every answer is compared to
tests/recomputation.py, to the digit; what is made of interpolated counters, to that of a float.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.recomputation import DAY_MS, HOUR_MS, MINUTE_MS, Recomputed, RecomputedChannel
from tests.recomputed_figures import Figures

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


class Replayed:
    """The recording as recomputed, and history's answers to all questions of this file."""

    def __init__(self, recomputed: Recomputed, history: Path) -> None:
        self.recomputed = recomputed
        self.channels = {name: recomputed.channel(_key(name)) for name in CHANNELS}
        self.figures = {name: Figures(channel) for name, channel in self.channels.items()}
        questions = [_STORED, *(q for name in CHANNELS for q in _questions(self, name))]
        answers = _asked(history, questions)
        self._answers = dict(zip(map(msgspec.json.encode, questions), answers, strict=True))

    def answer(self, *question: Any) -> Any:
        return self._answers[msgspec.json.encode(list(question))]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    folder = tmp_path_factory.mktemp("replayed")
    command = [sys.executable, "-m", "analyticbot.cli", "replay", str(RECORDING), "--speed", "max"]
    environment = {**os.environ, "ANALYTICBOT_DATA": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return Replayed(Recomputed(RECORDING), folder / "history")


def test_everything_is_in_history(replayed: Replayed) -> None:
    recomputed = replayed.recomputed
    instants = {
        (row["channel"], row["message_id"], row["sampled_at"])
        for row in [*recomputed.view_samples, *(p for p in recomputed.posts if p["sampled_at"])]
        if row["views"] is not None
    }
    [stored] = replayed.answer(*_STORED)
    assert stored["source"] == "recording"
    assert stored["posts"] == len(recomputed.posts) == 31_986
    assert len(recomputed.view_samples) == 26_499
    assert stored["view_samples"] == len(instants)


@pytest.mark.parametrize("name", CHANNELS)
def test_overview(replayed: Replayed, name: str) -> None:
    channel, figures = replayed.channels[name], replayed.figures[name]
    for span in _spans(channel):
        overview, evidence = replayed.answer("overview", name, *span)
        expected, bases = figures.overview(*span)
        # Interpolated counters are floats, and their sum depends on their order.
        of_floats = {n: v for n, v in expected.items() if n.startswith(("reach_", "err24_"))}
        assert {n: overview[n] for n in of_floats} == pytest.approx(of_floats)
        assert overview | of_floats == expected
        assert _coverages(evidence) == pytest.approx({n: float(b[0]) for n, b in bases.items()})
        assert _numbers(evidence) == {n: b[1] for n, b in bases.items()}
        assert evidence["sources"] in (["recording"], [])


@pytest.mark.parametrize("name", CHANNELS)
def test_views(replayed: Replayed, name: str) -> None:
    channel, figures = replayed.channels[name], replayed.figures[name]
    for span in _steps(channel):
        points, evidence = replayed.answer("views", name, *span)
        assert points == figures.views(*span)
        coverages = _coverages(evidence)
        measured = any(point["views_gained"] is not None for point in points)
        assert coverages["views_gained"] == (figures.sampled(*span[:2]) if measured else 0.0)
        assert coverages["posts"] == figures.read(*span[:2])


@pytest.mark.parametrize("name", CHANNELS)
def test_growth(replayed: Replayed, name: str) -> None:
    channel, figures = replayed.channels[name], replayed.figures[name]
    for span in _steps(channel):
        points, evidence = replayed.answer("growth", name, *span)
        assert points == figures.growth(*span)
        known = sum(point["subscribers"] is not None for point in points)
        spanned = sum(point["coverage"] for point in points) / len(points)
        coverages = _coverages(evidence)
        assert coverages["subscribers"] == known / len(points)
        assert coverages["change"] == pytest.approx(spanned)


@pytest.mark.parametrize("name", CHANNELS)
def test_curves(replayed: Replayed, name: str) -> None:
    channel = replayed.channels[name]
    assert replayed.answer("curve", name, _NO_POST) is None
    for post in _posts(channel):
        points, evidence = replayed.answer("curve", name, post)
        assert points == channel.curve(post)
        assert _coverages(evidence)["views"] == float("views" in channel.newest(post))


@pytest.mark.parametrize("name", CHANNELS)
def test_posts_by_views(replayed: Replayed, name: str) -> None:
    channel = replayed.channels[name]
    by_views = sorted(
        channel.dates, key=lambda post: (channel.newest(post).get("views", -1), post), reverse=True
    )
    page, _ = replayed.answer("posts", name, *_spans(channel)[0], "views", 500, None)
    assert [post["post_id"] for post in page["rows"]] == by_views[:500]
    assert all(post["text"] == channel.texts[post["post_id"]] for post in page["rows"])
    assert (page["cursor"] is not None) == (len(by_views) > 500)


def test_the_numbers_compared_are_numbers(replayed: Replayed) -> None:
    """Against a comparison of nothing with nothing."""
    channel = replayed.channels["hykilp"]
    whole, _ = replayed.figures["hykilp"].overview(*_spans(channel)[0])
    for name in ("views", "views_gained", "reach_12h", "reach_48h", "views_per_post_median"):
        assert whole[name] is not None, name
    span = _spans(replayed.channels["bridgemedia"])[0]
    assert replayed.figures["bridgemedia"].overview(*span)[0]["subscribers_change"] is not None


def _coverages(evidence: Any) -> dict[str, float]:
    return {name: basis["coverage"] for name, basis in evidence["figures"].items()}


def _numbers(evidence: Any) -> dict[str, int]:
    return {name: basis["n"] for name, basis in evidence["figures"].items()}


_STORED: list[Any] = ["stored", None]
_NO_POST = 10**9


def _key(name: str) -> str:
    return f"id{name}" if name.isdigit() else name


def _questions(replayed: Replayed, name: str) -> Iterator[list[Any]]:
    channel = replayed.channels[name]
    for span in _spans(channel):
        yield ["overview", name, *span]
    for stepped in _steps(channel):
        yield ["views", name, *stepped]
        yield ["growth", name, *stepped]
    for post in (*_posts(channel), _NO_POST):
        yield ["curve", name, post]
    yield ["posts", name, *_spans(channel)[0], "views", 500, None]


def _asked(history: Path, questions: list[list[Any]]) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.asked_of_history", f"chdb://{history}"],
        input=msgspec.json.encode(questions),
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    answers: list[Any] = msgspec.json.decode(done.stdout)
    return answers


def _posts(channel: RecomputedChannel) -> list[int]:
    """Those with the fewest samples, some, the most."""
    posts = sorted(channel.dates, key=lambda post: len(channel.samples.get(post, ())))
    return [*posts[:3], *posts[len(posts) // 2 :][:3], *posts[-5:]]


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
