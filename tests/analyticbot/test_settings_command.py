"""`analyticbot settings` as an operator runs it."""

import asyncio
import json
from pathlib import Path

import pytest

from analyticbot.cli import main
from control.sql import open_control
from streams.ids import ChannelId


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANALYTICBOT_DATA", str(tmp_path))
    return tmp_path


def ran(*arguments: str) -> int:
    return main(["settings", *arguments])


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert ran("list", "--json") == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_what_is_set_is_listed_and_what_is_unset_is_at_its_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ran("set", "spikes.least", "50") == 0
    assert ran("set", "spikes.factor", "2.5", "--channel=-1001006503122") == 0
    assert capsys.readouterr().out.splitlines()[0] == "spikes.least: 50 for all channels"
    told = [(row["setting"], row["value"], row["channel_id"]) for row in rows(capsys)]
    assert told == [
        ("spikes.factor", 4.0, None),
        ("spikes.factor", 2.5, 1006503122),
        ("spikes.least", 50, None),
        ("spikes.calm_minutes", 5, None),
    ]
    assert ran() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:4] == ["spikes.factor", "2.5", "1006503122", "4"]
    assert lines[3].split()[:3] == ["spikes.least", "50", "all"]
    assert ran("unset", "spikes.least") == 0
    assert "unset for all channels; the default, 30, holds" in capsys.readouterr().out
    assert ran("unset", "spikes.factor", "--channel", "1006503122") == 0
    assert [row["is_set"] for row in rows(capsys)] == [False] * 3


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (
            ["set", "spikes.least", "0"],
            2,
            "spikes.least: '0' is not a whole number from 1 to 1000000000",
        ),
        (["set", "spikes.lest", "5"], 2, "spikes.lest: no such setting; did you mean spikes.least"),
        (["unset", "x"], 2, "x: no such setting; there are spikes.factor, spikes.least, spikes.c"),
        (["unset", "spikes.least"], 1, "spikes.least is not set for all channels"),
        (
            ["unset", "spikes.least", "--channel", "12"],
            1,
            "spikes.least is not set for 12",
        ),
        (
            ["set", "spikes.least", "5", "--channel", "@nobody"],
            1,
            "@nobody: its id is not known here: follow it",
        ),
        (["set", "spikes.least", "5", "--channel", "t.me/+AbCd"], 2, "'t.me/+AbCd' is an invita"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_set(
    arguments: list[str], code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(*arguments) == code
    said = capsys.readouterr()
    assert said.err.startswith(f"analyticbot: {line}")
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert not any(row["is_set"] for row in rows(capsys))


def test_a_channel_that_was_resolved_may_be_named(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["follow", "@durov"]) == 0
    [file] = data.glob("control*")
    asyncio.run(_resolve(file))
    assert ran("set", "spikes.least", "5", "--channel", "t.me/Durov") == 0
    assert [row["channel_id"] for row in rows(capsys) if row["is_set"]] == [1006503122]


async def _resolve(file: Path) -> None:
    control = open_control(f"sqlite:///{file}")
    await control.resolve("@durov", ChannelId(1006503122), "durov")
    await control.close()
