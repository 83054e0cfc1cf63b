"""A recording folder: every spelling, every broken line, and nothing at all."""

import json
import logging
from pathlib import Path

import pytest
import zstandard

from streams import recording_channels
from streams.ids import HIGHEST_TELEGRAM_ID, MARK
from streams.recording import (
    Problem,
    RecordedChannel,
    Recording,
    RecordingError,
    SubscriberSample,
    ViewSample,
)
from streams.recording_channels import synthetic_id

DATE = "2025-01-01T00:00:00Z"
DATE_MS = 1_735_689_600_000


def write(folder: Path, name: str, *rows: dict[str, object] | str) -> None:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    data = "".join(f"{line}\n" for line in lines).encode()
    (folder / name).write_bytes(
        zstandard.compress(data) if name.endswith(".zst") else data,
    )


def post(channel: object, message_id: object = 1, **fields: object) -> dict[str, object]:
    return {"channel": channel, "message_id": message_id, "date": DATE, **fields}


def ids(recording: Recording) -> list[int]:
    return [row.channel_id for row in recording.posts()]


def test_all_four_files_plain_or_compressed(tmp_path: Path) -> None:
    write(tmp_path, "channels.jsonl", {"channel": "news", "channel_id": 7, "title": "News"})
    write(tmp_path, "posts.jsonl.zst", post("news", views=5, sampled_at=DATE, unknown_key=[1]))
    write(
        tmp_path,
        "view_samples.jsonl.zst",
        {"channel": "news", "message_id": 1, "sampled_at": DATE, "views": 5},
    )
    write(
        tmp_path,
        "subscriber_samples.jsonl",
        {"channel": "news", "sampled_at": DATE, "subscribers": 90},
    )
    recording = Recording(tmp_path)
    assert recording.channels() == [RecordedChannel(7, "news", "News")]
    [row] = recording.posts()
    assert (row.channel_id, row.post.post_id, row.post.views) == (7, 1, 5)
    assert (row.post.date_ms, row.sampled_at_ms) == (DATE_MS, DATE_MS)
    assert list(recording.view_samples()) == [ViewSample(7, 1, DATE_MS, 5)]
    assert list(recording.subscriber_samples()) == [SubscriberSample(7, DATE_MS, 90)]
    assert recording.problems == []


def test_every_spelling_of_a_channel_is_one_id(tmp_path: Path) -> None:
    spellings = ["News", "@news", "id7", "7", 7, f"-{MARK + 7}", -(MARK + 7)]
    write(tmp_path, "channels.jsonl", {"channel": "id7", "username": "news"})
    write(tmp_path, "posts.jsonl", *(post(key, n) for n, key in enumerate(spellings, 1)))
    assert ids(Recording(tmp_path)) == [7] * len(spellings)


def test_a_label_counts_beside_an_id(tmp_path: Path) -> None:
    write(tmp_path, "posts.jsonl", post("my channel!", channel_id="-1000000000007"))
    recording = Recording(tmp_path)
    assert ids(recording) == [7]
    assert recording.channels() == [RecordedChannel(7)]


def test_an_id_told_by_one_row_counts_for_all_files(tmp_path: Path) -> None:
    write(tmp_path, "posts.jsonl", post("news"), post("news", 2, channel_id=7))
    write(
        tmp_path,
        "subscriber_samples.jsonl",
        {"channel": "NEWS", "sampled_at": DATE, "subscribers": 1},
    )
    recording = Recording(tmp_path)
    assert ids(recording) == [7, 7]
    assert [row.channel_id for row in recording.subscriber_samples()] == [7]


def test_an_unknown_id_is_synthetic_and_stable(tmp_path: Path) -> None:
    write(tmp_path, "posts.jsonl", post("Some_Channel"))
    [channel] = Recording(tmp_path).channels()
    assert channel == RecordedChannel(synthetic_id("some_channel"), "Some_Channel")
    assert HIGHEST_TELEGRAM_ID < channel.channel_id < MARK


def test_two_channels_with_one_synthetic_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_channels, "_SYNTHETIC_IDS", 1)
    write(tmp_path, "posts.jsonl", post("first"), post("second"))
    with pytest.raises(RecordingError, match="second gets id 997852516353, which another"):
        Recording(tmp_path)


def test_broken_lines_are_told_and_the_rest_is_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "posts.jsonl").write_bytes(
        b"\n".join(
            line if isinstance(line, bytes) else json.dumps(line).encode()
            for line in (
                post("id7"),
                b"{broken",
                b"",
                post("id7", "two"),
                post("id7", 0),
                post("id7", 5, date="2025-01-01T00:00:00"),
                post("id7", 6, views=-1),
                post("no such spelling"),
                post("id8", 8, channel_id=9),
                json.dumps(post("id7", 9, text="?")).encode().replace(b"?", b"\xff"),
                post("id7", 10),
            )
        )
    )
    recording = Recording(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert [row.post.post_id for row in recording.posts()] == [1, 10]
        assert [row.post.post_id for row in recording.posts()] == [1, 10]
    assert [problem.line for problem in recording.problems] == [2, 4, 5, 6, 7, 8, 9, 10]
    assert str(recording.problems[0]).startswith("posts.jsonl:2: JSON is malformed")
    assert len(caplog.records) == 8


def test_contradicting_ids_are_told(tmp_path: Path) -> None:
    write(tmp_path, "posts.jsonl", post("news", channel_id=7), post("news", 2, channel_id=8))
    recording = Recording(tmp_path)
    assert ids(recording) == [7]
    assert recording.problems == [Problem("posts.jsonl", 2, "news is 8 here and 7 before")]


def test_a_damaged_archive_is_told_and_what_precedes_is_taken(tmp_path: Path) -> None:
    rows = [post("id7", n, text=f"text {n * 7919}") for n in range(1, 30_000)]
    write(tmp_path, "posts.jsonl.zst", *rows)
    path = tmp_path / "posts.jsonl.zst"
    data = bytearray(path.read_bytes())
    data[-60_000:-59_000] = b"\x00" * 1000
    path.write_bytes(data)
    recording = Recording(tmp_path)
    assert 0 < len(ids(recording)) < 30_000
    assert "damaged from here on" in recording.problems[-1].reason


def test_counters_without_their_instant_are_not_taken(tmp_path: Path) -> None:
    write(tmp_path, "posts.jsonl", post("id7", views=5, reactions={"👍": 2}))
    [row] = Recording(tmp_path).posts()
    assert (row.sampled_at_ms, row.post.views, row.post.reactions) == (None, None, None)


@pytest.mark.parametrize("make", [True, False])
def test_an_empty_or_absent_folder(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "here"
    if make:
        folder.mkdir()
    with pytest.raises(RecordingError, match=r"here holds no recording: none of channels\.jsonl"):
        Recording(folder)


def test_both_forms_of_one_file(tmp_path: Path) -> None:
    write(tmp_path, "posts.jsonl", post("id7"))
    write(tmp_path, "posts.jsonl.zst", post("id7"))
    with pytest.raises(RecordingError, match="keep one of them"):
        Recording(tmp_path)
