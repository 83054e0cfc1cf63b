"""A store that fails ends each command that needs it with one line: what is wrong, what to do."""

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from analyticbot.cli import main
from clickhouse.history import HistoryUnavailable
from streams.database import Database, Write
from streams.embedded.log import EmbeddedLog
from streams.log import LogFull

#: Nothing listens there.
NOWHERE = "127.0.0.1:1"
CREDENTIALS = {"TELEGRAM_API_ID": "1", "TELEGRAM_API_HASH": "a", "BOT_TOKEN": "1:a"}


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The last thing it said, after logs, and nothing of how the program is made."""
        assert "Traceback" not in self.err, self.err
        *logs, last = self.err.splitlines()
        assert not [line for line in logs if line.startswith("analyticbot:")]
        return last


class Console:
    """Runs commands in this process, on a data folder of their own."""

    def __init__(
        self, data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.data = data
        self.recording = data.parent / "recording"
        self._monkeypatch = monkeypatch
        self._capfd = capfd

    def run(self, command: str, **variables: str) -> Ended:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)
        arguments = {
            "follow": ["@durov"],
            "unfollow": ["@durov"],
            "replay": [str(self.recording)],
        }
        code = main([command, *arguments.get(command, [])])
        # So that asyncio says now which exceptions nobody has looked at.
        gc.collect()
        return Ended(code, *self._capfd.readouterr())


@pytest.fixture
def console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Console]:
    for name in os.environ:
        if name.startswith(("ANALYTICBOT_", "TELEGRAM_", "BOT_TOKEN")):
            monkeypatch.delenv(name)
    data = tmp_path / "data"
    data.mkdir()
    for name, value in {
        **CREDENTIALS,
        "ANALYTICBOT_DATA": str(data),
        "ANALYTICBOT_PORT": "0",
        "ANALYTICBOT_SECRET_KEY": "5a" * 32,
    }.items():
        monkeypatch.setenv(name, value)
    recording = tmp_path / "recording"
    recording.mkdir()
    (recording / "posts.jsonl").write_text(
        '{"channel": "somebody", "message_id": 1, "date": "2025-01-01T00:00:00Z", "text": "a"}\n'
    )
    logger = logging.getLogger()
    before = logger.level, logger.handlers[:]
    yield Console(data, monkeypatch, capfd)
    logger.setLevel(before[0])
    logger.handlers[:] = before[1]


@pytest.mark.parametrize("command", ["follow", "unfollow", "login", "up", "migrate"])
def test_a_damaged_control_store(console: Console, command: str) -> None:
    (console.data / "control.db").write_bytes(b"no database" * 500)
    ended = console.run(command)
    assert ended.code == 1
    assert ended.line.startswith("analyticbot: control store sqlite:///")
    assert "ANALYTICBOT_CONTROL" in ended.line


@pytest.mark.parametrize("command", ["serve", "replay", "migrate"])
def test_a_damaged_log(console: Console, command: str) -> None:
    assert console.run("migrate").code == 0
    for manifest in (console.data / "log" / "rocksdb").glob("MANIFEST-*"):
        manifest.write_bytes(b"no manifest" * 500)
    ended = console.run(command)
    assert ended.code == 1
    place = f"{console.data}/log/rocksdb"
    assert ended.line.startswith(f"analyticbot: log in {place} is damaged: Corruption")
    assert ended.line.endswith("; see Damage in docs/OPERATING.md")


@pytest.mark.parametrize("command", ["serve", "replay", "migrate"])
def test_a_history_that_cannot_be_opened(console: Console, command: str) -> None:
    (console.data / "history").write_text("no folder")
    ended = console.run(command)
    assert ended.code == 1
    assert ended.line.startswith("analyticbot: history folder ")


@pytest.mark.parametrize("command", ["collect", "work", "serve", "bot", "migrate"])
def test_brokers_that_are_away(console: Console, command: str) -> None:
    ended = console.run(command, ANALYTICBOT_LOG=f"kafka://{NOWHERE}")
    assert ended.code == 1
    assert NOWHERE in ended.line
    assert "ANALYTICBOT_LOG" in ended.line


def test_doctor_tells_of_each(console: Console) -> None:
    (console.data / "control.db").write_bytes(b"no database" * 500)
    (console.data / "history").write_text("no folder")
    ended = console.run("doctor", ANALYTICBOT_LOG=f"kafka://{NOWHERE}")
    assert (ended.code, ended.out.count("✗")) == (1, 3)
    assert "Traceback" not in ended.err


def test_a_replay_whose_log_fails_while_it_waits_for_history(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, append = Database.write, EmbeddedLog.append
    appended: list[object] = []

    async def noting(log: EmbeddedLog, drafts: list[object]) -> object:
        places = await append(log, drafts)  # type: ignore[arg-type]
        appended.extend(drafts)
        return places

    def failing(database: Database, changes: Write, *, durable: bool = True) -> None:
        if appended:
            raise LogFull("log in that folder: File too large")
        write(database, changes, durable=durable)

    monkeypatch.setattr(EmbeddedLog, "append", noting)
    monkeypatch.setattr(Database, "write", failing)
    ended = console.run("replay")
    assert ended.code == 1
    assert ended.line.endswith("log in that folder: File too large; make room")


def test_history_that_fails_after_it_was_opened(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clickhouse.chdb import ChdbHistory

    async def away(_history: ChdbHistory) -> list[str]:
        raise HistoryUnavailable("migrations: it went away")

    monkeypatch.setattr(ChdbHistory, "migrate", away)
    ended = console.run("migrate")
    assert ended.code == 1
    assert ended.line.startswith("analyticbot: migrations: it went away; check that it is running")
