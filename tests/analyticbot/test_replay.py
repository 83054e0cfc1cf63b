"""`analyticbot replay` as a person runs it: what it takes, what it refuses, and what it tells."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.analyticbot.command import COMMAND, environment, run
from tests.analyticbot.test_moving import answers

CHANNEL = {"channel": "newcomer", "channel_id": 1_500_000_003}


def write(folder: Path, **files: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in files.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines)
    return folder


def post(number: int, **fields: Any) -> dict[str, Any]:
    """Read an hour after it was published."""
    dates = {"date": "2025-01-10T12:00:00Z", "sampled_at": "2025-01-10T13:00:00Z"}
    return {**CHANNEL, "message_id": number, **dates, "views": 100, **fields}


def replayed(data: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run(data, "replay", str(folder), *options)


@pytest.mark.parametrize("local", [False, True])
def test_local_dates_are_refused_and_the_folder_stays_usable(tmp_path: Path, local: bool) -> None:
    """Dates of UTC+3 written as UTC; or written without a zone, which is then told."""
    zone = "" if local else "Z"
    rows = [post(n, date=f"2025-01-10T15:{n % 60:02}:00{zone}") for n in range(1, 201)]
    rows = [{**row, "sampled_at": "2025-01-10T12:59:00Z"} for row in rows]
    folder = write(tmp_path / "recording", posts=rows)
    refused = replayed(tmp_path / "data", folder)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == f"analyticbot: nothing of {folder} was taken"
    assert "Traceback" not in refused.stderr
    assert refused.stderr.count("recording_not_all_taken") == 1
    why = "has no time zone" if local else "is after sampled_at"
    assert "posts.jsonl: 200 rows read, 0 taken, 200 refused\n" in refused.stdout
    assert f"  200 rows refused: date {why}\n" in refused.stdout
    assert "    and 197 more\n" in refused.stdout
    if local:
        mended = replayed(tmp_path / "data", folder, "--timezone", "+03:00")
    else:
        assert "dates look like local time, about 3 h ahead of UTC" in refused.stdout
        good = write(tmp_path / "good", posts=[post(n) for n in range(1, 201)])
        mended = replayed(tmp_path / "data", good)
    assert mended.returncode == 0, mended.stderr
    assert mended.stdout.startswith("200 posts, 0 samples of counters and 0 of subscribers are in")


def test_one_bad_post_of_a_page_costs_that_post(tmp_path: Path) -> None:
    late = post(100, date="2025-01-10T13:06:40Z")
    folder = write(tmp_path / "recording", posts=[*(post(n) for n in range(1, 100)), late])
    ended = replayed(tmp_path / "data", folder)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("99 posts, ")
    assert "posts.jsonl: 100 rows read, 99 taken, 1 refused\n  1 row refused: date" in ended.stdout
    assert "posts.jsonl:100: date: 2025-01-10T13:06:40+00:00 is after sampled_at" in ended.stdout


def test_everything_that_was_not_taken_as_it_stands_is_told(tmp_path: Path) -> None:
    sample = {**CHANNEL, "message_id": 1, "views": 5}
    folder = write(
        tmp_path / "recording",
        posts=[post(1), post(2, views="1.2K"), post(3, channel="other", channel_id=7)],
        view_samples=[
            {**sample, "sampled_at": "2025-01-10T11:00:00Z"},
            {**sample, "sampled_at": "2025-01-10T12:30:00Z"},
            {**sample, "sampled_at": "2025-01-10T12:30:00Z"},
            {**sample, "sampled_at": "2025-01-10T12:30:00Z", "message_id": 99},
        ],
        subscriber_samples=[
            {**CHANNEL, "channel_id": 8, "sampled_at": "2025-01-10T12:00:00Z", "subscribers": 9}
        ],
    )
    ended = replayed(tmp_path / "data", folder)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "3 posts, 3 samples of counters and 1 of subscribers are in history",
        "posts.jsonl: 3 rows read, 3 taken, 1 of them without a value",
        "  1 value left out: views is rounded",
        "    posts.jsonl:2: views: '1.2K' is rounded; write a whole number, 0 or more",
        "view_samples.jsonl: 4 rows read, 3 taken, 1 refused, 1 merged with others of the same "
        "instant",
        "  1 row refused: sampled_at is before the date of its post",
        "    view_samples.jsonl:1: sampled_at: 2025-01-10T11:00:00+00:00 is before the date of its "
        "post; its post is dated 1 h 0 min ahead: dates look like local time, about 1 h ahead of "
        "UTC; write UTC",
        "  1 sample is of a post that no row of posts.jsonl tells: the views count, the age is not "
        "known",
        "subscriber_samples.jsonl: 1 row read, 1 taken",
        "@newcomer was the name of several channels (1500000003, 8): their rows went by channel_id",
    ]


def test_what_is_older_than_what_was_observed_before_is_told(tmp_path: Path) -> None:
    rows = [{**CHANNEL, "sampled_at": f"2025-01-{day}T12:00:00Z"} for day in (10, 11)]
    for place, row in enumerate(rows):
        row["subscribers"] = place
    newer = write(tmp_path / "newer", subscriber_samples=rows[1:])
    older = write(tmp_path / "older", subscriber_samples=rows[:1])
    first, second = (replayed(tmp_path / "data", folder) for folder in (newer, older))
    assert "late:" not in first.stdout
    assert second.returncode == 0
    # Its description is as old as its only sample.
    assert "late: 2 messages and 0 samples of counters are older than what had" in second.stdout


def test_appending_a_line_and_replaying_again_is_equal_to_the_digit(tmp_path: Path) -> None:
    """With the versions of an edited post, which come in their order both times."""
    edit = {"text": "v2", "edit_date": "2025-01-10T13:10:00Z"}
    posts = [
        post(1, text="v1"),
        post(1, **edit, views=140, sampled_at="2025-01-10T13:11:00Z"),
        post(1, **edit, views=150, reactions={"👍": 1}, sampled_at="2025-01-10T13:12:00Z"),
        *({**CHANNEL, "message_id": n, "date": f"2025-01-10T13:{n:02}:00Z"} for n in range(2, 7)),
    ]
    samples: list[dict[str, Any]] = [
        {**CHANNEL, "message_id": n, "sampled_at": f"2025-01-10T13:{10 + at}:00Z", "views": n * at}
        for n in range(2, 7)
        for at in range(1, 20)
    ]
    last = {**CHANNEL, "message_id": 4, "sampled_at": "2025-01-10T13:40:00Z", "views": 200}
    day = write(tmp_path / "day", posts=posts, view_samples=samples)
    longer = write(tmp_path / "longer", posts=posts, view_samples=[*samples, last])
    ended = [replayed(tmp_path / "both", folder) for folder in (day, longer)]
    ended.append(replayed(tmp_path / "alone", longer))
    assert [one.returncode for one in ended] == [0, 0, 0], ended
    from_ms, minute_ms = 1_736_510_400_000, 60_000
    questions = (
        ("stored", None),
        ("channels", None),
        ("overview", "newcomer", from_ms, from_ms + 7_200_000),
        ("views", "newcomer", from_ms, from_ms + 7_200_000, minute_ms),
        ("posts", "newcomer", from_ms, from_ms + 7_200_000, "date", 50, None),
        ("curve", "newcomer", 4),
    )
    both, alone = (answers(tmp_path / data, questions) for data in ("both", "alone"))
    assert both == alone
    *_, edited = both[4][0]["rows"]
    shown = [edited[name] for name in ("text", "edited", "views", "reactions")]
    assert shown == ["v2", True, 150, 1]


def test_a_folder_in_use_is_told_with_what_to_do(tmp_path: Path) -> None:
    folder = write(tmp_path / "recording", posts=[post(1)])
    variables = environment(tmp_path / "data", ANALYTICBOT_PORT="0")
    with subprocess.Popen([COMMAND, "serve"], env=variables, stdout=subprocess.PIPE) as serving:
        try:
            assert serving.stdout is not None
            assert serving.stdout.readline()
            ended = replayed(tmp_path / "data", folder)
        finally:
            serving.terminate()
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    advice = "stop it, run replay, then start it again"
    assert line.endswith(f"is in use by process {serving.pid}: {advice}")


@pytest.mark.parametrize("zone", ["Mars/Phobos", "3"])
def test_a_zone_that_is_none_is_wrong_use(tmp_path: Path, zone: str) -> None:
    ended = replayed(tmp_path / "data", tmp_path, "--timezone", zone)
    assert ended.returncode == 2
    assert f"{zone!r} is not a time zone: use UTC, +03:00 or Europe/Moscow" in ended.stderr
