"""docs/RECORDINGS.md says what the rows are, and what it shows works."""

import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from streams.limits import LAST_MS
from streams.recording import (
    CHANNELS,
    FILES,
    POSTS,
    SUBSCRIBER_SAMPLES,
    VIEW_SAMPLES,
    Recording,
)
from streams.recording_lines import RowReader
from streams.recording_rows import (
    AlbumId,
    AnyId,
    ChannelRow,
    Count,
    Instant,
    MessageId,
    PostRow,
    Row,
    SubscriberRow,
    ViewRow,
)
from streams.sources.recorded_events import events_of

PAGE = (Path(__file__).parents[2] / "docs" / "RECORDINGS.md").read_text()
SHAPES: dict[str, type[Row]] = {
    CHANNELS: ChannelRow,
    POSTS: PostRow,
    VIEW_SAMPLES: ViewRow,
    SUBSCRIBER_SAMPLES: SubscriberRow,
}
TYPES: dict[Any, str] = {
    AnyId: "channel",
    Count: "count",
    Instant: "instant",
    MessageId: "post id",
    AlbumId: "whole number",
    str: "text",
    dict[str, Count]: "reactions",
}


def section(title: str) -> str:
    [found] = re.findall(
        rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE
    )
    return str(found)


def told(title: str) -> dict[str, tuple[str, bool]]:
    """By field: its type, and whether it is required."""
    rows = re.findall(
        r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", section(title), re.MULTILINE
    )
    assert all(meaning.strip() for *_, meaning in rows)
    assert all("Null: " in row[3] for row in rows if row[2] == "no")
    return {name: (kind, required.startswith("yes")) for name, kind, required, _ in rows}


def fields(shape: type[Row]) -> dict[str, tuple[str, bool]]:
    hints = get_type_hints(shape, include_extras=True)
    found = {}
    for field in msgspec.structs.fields(shape):
        kind = hints[field.name]
        if kind not in TYPES:
            [kind] = [one for one in (AnyId, *get_args(kind)) if one in TYPES and fits(one, kind)]
        found[field.name] = (TYPES[kind], field.required)
    return found


def fits(kind: Any, optional: Any) -> bool:
    return bool(kind | None == optional)


def test_the_fields_of_every_row_are_described() -> None:
    common = told("Fields")
    assert common == fields(Row)
    for name, shape in SHAPES.items():
        assert {**common, **told(name)} == fields(shape)


def test_every_file_has_an_example_that_is_taken_as_it_stands(tmp_path: Path) -> None:
    assert set(SHAPES) == set(FILES)
    for name, shape in SHAPES.items():
        [line] = re.findall(r"```json\n(.*?)\n```", section(name), re.DOTALL)
        row, faults = RowReader(shape, None, LAST_MS).read(line.encode())
        assert not faults
        assert msgspec.json.Decoder(shape).decode(line) == row
        (tmp_path / name).write_text(f"{line}\n")
    recording = Recording(tmp_path)
    kinds = [type(event).__name__ for event in events_of(recording)]
    assert kinds == [
        "ChannelDescribed",
        "SubscribersSampled",
        "PostsSeen",
        "CountersSampled",
        "CountersSampled",
    ]
    assert recording.problems == []


def test_what_pandas_writes_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "my-recording").mkdir()
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    recording = Recording(tmp_path / "my-recording")
    rows = [(row.post.post_id, row.post.views, row.sampled_at_ms) for row in recording.posts()]
    assert rows == [(7, 1660, 1_768_050_000_000), (8, None, None)]
    assert recording.problems == []


@pytest.mark.parametrize("page", ["README.md", "analyticbot/commands/replay.py"])
def test_it_is_found_from_where_people_begin(page: str) -> None:
    assert "docs/RECORDINGS.md" in (Path(__file__).parents[2] / page).read_text()
