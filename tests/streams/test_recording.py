"""A recording folder: every spelling, every broken line, and nothing at all."""

import json
import logging
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from streams import recording_channels
from streams.ids import HIGHEST_TELEGRAM_ID, MARK
from streams.recording import (
    RecordedChannel,
    Recording,
    RecordingError,
    SubscriberSample,
    ViewSample,
)
from streams.recording_channels import synthetic_id
from streams.recording_problems import FileTally
from streams.recording_rows import Fault
from streams.spellings import zone_named

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


def subscribers(channel: object, count: int) -> dict[str, object]:
    return {"channel": channel, "sampled_at": DATE, "subscribers": count}


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
        assert [row.post.post_id for row in recording.posts()] == [1, 6, 10]
        assert [row.post.post_id for row in recording.posts()] == [1, 6, 10]
        recording.log_problems()
    told = {problem.line: str(problem) for problem in recording.problems}
    assert list(told) == [2, 4, 5, 6, 7, 8, 9, 10]
    assert told[2] == ("posts.jsonl:2: '{broken' is not JSON; write one JSON object a line")
    assert told[4].startswith("posts.jsonl:4: message_id: 'two' is not a whole number; write ")
    assert told[7] == "posts.jsonl:7: views: -1 is below 0; write a whole number, 0 or more"
    [tally] = recording.tallies
    assert (tally.rows, tally.taken, tally.refused, tally.in_part) == (10, 3, 7, 1)
    [logged] = caplog.records
    assert (logged.message, logged.refused, logged.first) == (
        "recording_not_all_taken",
        7,
        told[2],
    )


def test_a_username_that_moved_means_a_channel_by_the_id_alone(tmp_path: Path) -> None:
    rows = [post("news", channel_id=7), post("@News", 2, channel_id=8), post("news", 3)]
    write(tmp_path, "posts.jsonl", *rows, post("id7", 4, username="news"))
    recording = Recording(tmp_path)
    assert ids(recording) == [7, 8, 7]
    assert recording.moved_names() == {"news": [7, 8]}
    assert [str(problem) for problem in recording.problems] == [
        "posts.jsonl:3: channel: names none; news was the name of 7, 8: give the channel_id"
    ]


def test_a_channel_with_several_usernames_is_called_by_its_last(tmp_path: Path) -> None:
    write(
        tmp_path, "posts.jsonl", post("old_name", channel_id=7), post("New_Name", 2, channel_id=7)
    )
    write(tmp_path, "subscriber_samples.jsonl", subscribers("old_name", 5))
    recording = Recording(tmp_path)
    assert ids(recording) == [7, 7]
    assert [row.channel_id for row in recording.subscriber_samples()] == [7]
    assert recording.channels() == [RecordedChannel(7, "New_Name")]


def test_a_row_without_a_channel_is_of_its_channel_id_or_username(tmp_path: Path) -> None:
    rows = [{**post(None), "channel_id": 7}, {**post("", 2), "channel_id": 7.0}]
    named = [{**post(None, 3), "username": "news"}, post("news", 4, channel_id=8)]
    write(tmp_path, "posts.jsonl", *rows, *named)
    assert ids(Recording(tmp_path)) == [7, 7, 8, 8]


def test_of_many_problems_of_a_kind_the_first_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    write(tmp_path, "posts.jsonl", *[post("id7", n, views="1.2K") for n in range(1, 1000)])
    recording = Recording(tmp_path)
    assert len(ids(recording)) == 999
    [tally] = recording.tallies
    [(kind, kept)] = tally.kinds.items()
    assert (kind.field, kind.why, kept.count) == ("views", "is rounded", 999)
    assert [problem.line for problem in recording.problems] == [1, 2, 3, 4, 5]


def test_kinds_of_problems_are_bounded(tmp_path: Path) -> None:
    tally = FileTally("posts.jsonl")
    for n in range(1, 10_000):
        tally.refuse(n, Fault(f"field {n}", "", "is wrong"))
    assert sum(kept.count for kept in tally.kinds.values()) == tally.refused == 9_999
    assert len(tally.problems()) < 200


def test_a_line_without_an_end_costs_no_memory(tmp_path: Path) -> None:
    """Some kilobytes that are a gigabyte once they are unpacked."""
    compressor = zstandard.ZstdCompressor().compressobj()
    good = json.dumps(post("id7")).encode()
    with (tmp_path / "posts.jsonl.zst").open("wb") as file:
        file.write(compressor.compress(good + b"\n"))
        for _ in range(100):
            file.write(compressor.compress(b"a" * 1_000_000))
        file.write(compressor.compress(b"\n" + good))
        file.write(compressor.flush())
    recording = Recording(tmp_path)
    tracemalloc.start()
    try:
        assert ids(recording) == [7, 7]
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert [str(problem) for problem in recording.problems] == [
        "posts.jsonl.zst:2: is longer than 1 MiB; write one JSON object a line"
    ]


def test_dates_in_a_zone_that_is_told(tmp_path: Path) -> None:
    write(
        tmp_path, "posts.jsonl", post("id7", date="2025-01-01 03:00:00"), post("id7", 2, date=DATE)
    )
    assert [row.post.post_id for row in Recording(tmp_path).posts()] == [2]
    rows = Recording(tmp_path, zone_named("Europe/Moscow")).posts()
    assert [row.post.date_ms for row in rows] == [DATE_MS, DATE_MS]


def test_nothing_is_observed_after_now(tmp_path: Path) -> None:
    write(tmp_path, "posts.jsonl", post("id7", views=5, sampled_at="2025-01-02T00:00:00Z"))
    recording = Recording(tmp_path, now_ms=DATE_MS)
    [row] = recording.posts()
    assert (row.sampled_at_ms, row.post.views) == (None, None)
    assert "sampled_at: 2025-01-02T00:00:00+00:00 is after now" in str(recording.problems[0])
    assert Recording(tmp_path, now_ms=DATE_MS + 86_400_000).posts().__next__().post.views == 5


def test_local_dates_are_refused_with_what_they_look_like(tmp_path: Path) -> None:
    write(tmp_path, "posts.jsonl", post("id7", views=5, sampled_at="2024-12-31T21:10:00Z"))
    recording = Recording(tmp_path)
    assert ids(recording) == []
    assert str(recording.problems[0]) == (
        "posts.jsonl:1: date: 2025-01-01T00:00:00+00:00 is after sampled_at; 2 h 50 min ahead: "
        "dates look like local time, about 3 h ahead of UTC; write UTC"
    )


def test_a_damaged_archive_is_told_and_what_precedes_is_taken(tmp_path: Path) -> None:
    rows = [post("id7", n, text=f"text {n * 7919}") for n in range(1, 30_000)]
    write(tmp_path, "posts.jsonl.zst", *rows)
    path = tmp_path / "posts.jsonl.zst"
    data = bytearray(path.read_bytes())
    data[-60_000:-59_000] = b"\x00" * 1000
    path.write_bytes(data)
    recording = Recording(tmp_path)
    assert 0 < len(ids(recording)) < 30_000
    assert "damaged from here on" in str(recording.problems[-1])


def test_counters_without_their_instant_are_not_taken(tmp_path: Path) -> None:
    write(tmp_path, "posts.jsonl", post("id7", views=5, reactions={"👍": 2}))
    recording = Recording(tmp_path)
    [row] = recording.posts()
    assert (row.sampled_at_ms, row.post.views, row.post.reactions) == (None, None, None)
    assert [str(problem) for problem in recording.problems] == [
        "posts.jsonl:1: sampled_at: is unknown, so its counters are not taken"
    ]


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
