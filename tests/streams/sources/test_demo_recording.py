"""The recording that the demo ships: its numbers, and that its words are ours."""

import importlib.util
from collections import Counter
from pathlib import Path

import pytest

import loopback
from streams.recording import Recording

ROOT = Path(__file__).parents[3]
DEMO = Path(loopback.__file__).parent / "recording"
REAL = ROOT.parent / "shared" / "data" / "telegram"


def built_by_the_script(target: Path) -> Recording:
    path = ROOT / "tools" / "demo_recording.py"
    spec = importlib.util.spec_from_file_location("demo_recording", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.build(Recording(REAL), target)
    return Recording(target)


def test_ten_channels_and_all_their_counters() -> None:
    recording = Recording(DEMO)
    posts = Counter(row.channel_id for row in recording.posts())
    assert sorted(posts.values()) == [843, *[1000] * 9]
    assert all(row.sampled_at_ms is not None for row in recording.posts())
    assert sum(1 for _ in recording.view_samples()) == 26_499
    assert [channel.channel_id for channel in recording.channels()] == sorted(posts)
    assert recording.problems == []


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < 1_000_000


def test_its_texts_are_ours() -> None:
    assert all(
        row.post.text.isascii() and f"no. {row.post.post_id}" in row.post.text
        for row in Recording(DEMO).posts()
    )


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded channels are not beside the checkout")
def test_the_script_builds_it_again(tmp_path: Path) -> None:
    built, shipped = built_by_the_script(tmp_path), Recording(DEMO)
    assert built.channels() == shipped.channels()
    assert list(built.posts()) == list(shipped.posts())
    assert list(built.view_samples()) == list(shipped.view_samples())
