"""What is followed and by whom, as the commands say it, without a process that runs."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from analyticbot.address import address_in, announced
from analyticbot.commands.channels import HEADS
from analyticbot.config import read_settings
from analyticbot.observed import Observed, observed
from control.sql import open_control
from control.store import Account
from tests.analyticbot.command import run
from tests.control.keys import HEX, KEY
from tests.kafka.ports import free_ports

SESSION = "1" + "SecretSession_-" * 23 + "="


async def signed_in(data: Path, account_id: int, refused: str | None = None) -> None:
    store = open_control(f"sqlite:///{data}/control.db", KEY)
    await store.migrate()
    await store.accounts.put(Account(account_id, SESSION, 1_750_000_000_000, refused))
    await store.close()


def test_follow_says_what_it_did_and_what_happens_next(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = run(data, "follow", "@Durov", "-1001006503122", "https://t.me/durov/5")
    assert first.returncode == 0
    one, two, three, next_ = first.stdout.splitlines()
    assert (one, two) == ("@durov: followed from now on", "1006503122: followed from now on")
    assert three.startswith("@durov: followed since 20")
    assert next_.startswith("Nobody is logged in to Telegram: run `analyticbot login`")


async def test_follow_with_an_account_and_no_collector_says_what_to_run(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await signed_in(data, 7)
    said = run(data, "follow", "durov").stdout
    assert said.endswith(
        "No collector runs: they are observed when `analyticbot up` or `collect` runs.\n"
    )


def test_unfollow_takes_every_spelling_and_says_what_was_not_followed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(data, "follow", "durov", "1006503122", "telegram")
    ended = run(data, "unfollow", "@nobody", "t.me/Durov", "id1006503122")
    assert ended.stdout == (
        "@durov: not followed any longer; its history stays\n"
        "1006503122: not followed any longer; its history stays\n"
    )
    assert (ended.returncode, ended.stderr) == (1, "analyticbot: @nobody is not followed\n")
    both = run(data, "unfollow", "durov", "5")
    assert (both.returncode, both.stderr) == (1, "analyticbot: @durov, 5 are not followed\n")
    [left] = json.loads(run(data, "channels", "--json").stdout)
    assert left["channel"] == "telegram"


def test_nothing_followed_and_nobody_logged_in(tmp_path: Path) -> None:
    channels, accounts = (run(tmp_path / "data", one) for one in ("channels", "accounts"))
    assert channels.stdout == "nothing is followed: run `analyticbot follow @channel`\n"
    assert accounts.stdout == "nobody is logged in to Telegram: run `analyticbot login`\n"
    for command in ("channels", "accounts"):
        assert json.loads(run(tmp_path / "data", command, "--json").stdout) == []
    # They look, and make no history.
    assert not (tmp_path / "data" / "history").exists()


def test_what_was_followed_and_not_observed_yet(tmp_path: Path) -> None:
    run(tmp_path / "data", "follow", "durov")
    [row] = json.loads(run(tmp_path / "data", "channels", "--json").stdout)
    since = row.pop("followed_since")
    assert since.endswith("Z")
    assert row == {
        "channel": "durov",
        "id": None,
        "username": "durov",
        "title": None,
        "status": "pending",
        "reason": "not observed yet",
        "last_sample_at": None,
        "account": None,
    }
    head, line = run(tmp_path / "data", "channels").stdout.splitlines()
    assert head.split() == " ".join(HEADS).split()
    assert line.split() == ["@durov", "—", "pending", since, "—", "—", "not", "observed", "yet"]


def test_what_was_observed_is_read_from_history_where_no_process_runs(tmp_path: Path) -> None:
    pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")
    recording, data = tmp_path / "recording", tmp_path / "data"
    recording.mkdir()
    (recording / "channels.jsonl").write_text(
        '{"channel": "somebody", "channel_id": 1006503122, "title": "Somebody"}\n'
    )
    (recording / "posts.jsonl").write_text(
        '{"channel": "somebody", "message_id": 1, "date": "2025-01-01T00:00:00Z", "text": "a"}\n'
    )
    assert run(data, "replay", str(recording)).returncode == 0
    run(data, "follow", "https://t.me/c/1006503122/1", "another")
    by_id, other = json.loads(run(data, "channels", "--json").stdout)
    assert (by_id["id"], by_id["username"]) == (1006503122, "somebody")
    assert (by_id["status"], by_id["reason"]) == ("recorded", None)
    assert (other["status"], other["reason"]) == ("pending", "not observed yet")


async def test_accounts_are_listed_without_their_sessions(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await signed_in(data, 7)
    await signed_in(data, 8, "AUTH_KEY_DUPLICATED")
    with_key, without = (
        run(data, "accounts", "--json", **variables)
        for variables in ({"ANALYTICBOT_SECRET_KEY": HEX}, {})
    )
    ann, ben = json.loads(with_key.stdout)
    assert ann == {
        "account": 7,
        "status": "free",
        "reason": None,
        "channels": 0,
        "signed_in_since": "2025-06-15T15:06:40Z",
        "used_by": None,
    }
    assert (ben["status"], ben["reason"]) == ("refused", "AUTH_KEY_DUPLICATED")
    locked = json.loads(without.stdout)
    assert [row["status"] for row in locked] == ["locked", "locked"]
    assert "there is no key here: restore that key, or" in locked[0]["reason"]
    assert "SecretSession" not in with_key.stdout + without.stdout + with_key.stderr


def test_an_address_counts_while_its_process_holds_it(tmp_path: Path) -> None:
    assert address_in(tmp_path) is None
    with announced(tmp_path, "http://127.0.0.1:8000"):
        assert address_in(tmp_path) == "http://127.0.0.1:8000"
        assert (tmp_path / "address.json").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_was_left_by_a_dead_process_is_not_asked(tmp_path: Path) -> None:
    # The process of this number lives, as process 1 of every container does.
    left = f'{{"pid": {os.getpid()}, "url": "http://127.0.0.1:1"}}'
    for content in (left, "cut o"):
        (tmp_path / "address.json").write_text(content)
        assert address_in(tmp_path) is None
    with announced(tmp_path, "http://127.0.0.1:8000"):
        assert address_in(tmp_path) == "http://127.0.0.1:8000"


async def test_where_nobody_listens_the_folder_is_read(tmp_path: Path) -> None:
    settings = read_settings({"ANALYTICBOT_DATA": str(tmp_path)})
    with announced(tmp_path, f"http://127.0.0.1:{free_ports(1)[0]}"):
        assert await observed(settings) == Observed({})


async def test_a_process_that_does_not_answer_is_said(tmp_path: Path) -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        data = tmp_path / "data"
        await asyncio.to_thread(run, data, "follow", "durov")
        with announced(data, url):
            ended = await asyncio.to_thread(run, data, "channels", "--json")
    assert ended.returncode == 0
    [row] = json.loads(ended.stdout)
    assert (row["status"], row["reason"]) == (None, None)
    assert ended.stderr.startswith(
        f"analyticbot: what was observed is not known: the running process at {url} does not answer"
    )
