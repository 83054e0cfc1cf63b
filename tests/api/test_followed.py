"""Channels that are followed and were never observed: listed with what is wrong with them."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.followed import FollowedChannels
from control import database
from control.sql import SqlControl, open_control
from control.store import Standing
from streams.ids import ChannelId
from streams.log import Log
from tests.api.reading import FixedReader
from tests.api.serving import CHANNEL, NOW_MS, Serving

BASE = "/api/v1/channels"
NOBODY = "nobody on Telegram has the name @typoname"


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[SqlControl]:
    control = open_control(f"sqlite:///{tmp_path / 'control.db'}")
    await control.migrate()
    await control.follow("durov", NOW_MS - 9)
    await control.follow("typoname", NOW_MS - 8)
    await control.follow("4242", NOW_MS - 7)
    await control.put_standing(
        "typoname", Standing("not_found", NOBODY, NOW_MS + 3_600_000, NOW_MS)
    )
    yield control
    await control.close()


@pytest.fixture
async def serving(log: Log, control: SqlControl) -> AsyncIterator[Serving]:
    async with Serving(log, FixedReader(), control=control) as serving:
        yield serving


async def test_names_that_lead_nowhere_are_listed_after_those_observed(serving: Serving) -> None:
    listed = (await serving.get(BASE)).json()["data"]
    assert [(row["id"], row["username"], row["status"]) for row in listed] == [
        (CHANNEL, "durov", "live"),
        (None, "typoname", "not_found"),
        (4242, None, "pending"),
    ]
    missing = listed[1]
    assert (missing["status_reason"], missing["status_until"]) == (NOBODY, "2026-03-01T13:00:00Z")
    assert missing["followed_since"] == "2026-03-01T11:59:59.992Z"
    assert missing["last_sample_at"] is missing["subscribers"] is missing["title"] is None


@pytest.mark.parametrize("spelling", ["typoname", "@TypoName"])
async def test_one_of_them_is_answered_and_has_no_figures(serving: Serving, spelling: str) -> None:
    answer = (await serving.get(f"{BASE}/{spelling}")).json()
    assert (answer["data"]["id"], answer["data"]["status"]) == (None, "not_found")
    assert answer["meta"]["coverage"] == 0
    assert (await serving.get(f"{BASE}/4242")).json()["data"]["id"] == 4242
    assert (await serving.get(f"{BASE}/{spelling}/overview")).status_code == 404
    assert (await serving.get(f"{BASE}/somebodyelse")).status_code == 404
    assert (await serving.get(f"{BASE}/!!")).status_code == 400


async def test_a_list_is_cut_through_both(serving: Serving) -> None:
    first = (await serving.get(f"{BASE}?limit=2")).json()
    assert [row["username"] for row in first["data"]] == ["durov", "typoname"]
    rest = (await serving.get(f"{BASE}?limit=2&cursor={first['meta']['cursor']}")).json()
    assert [row["id"] for row in rest["data"]] == [4242]
    assert rest["meta"]["cursor"] is None


async def test_why_an_observed_channel_is_as_it_is(serving: Serving, control: SqlControl) -> None:
    await control.resolve("durov", ChannelId(CHANNEL), "durov")
    await control.put_standing("durov", Standing("live", "its name has moved", None, NOW_MS))
    assert (await serving.get(f"{BASE}/durov")).json()["data"]["status_reason"] == (
        "its name has moved"
    )
    await control.put_standing("durov", Standing("away", "cut", NOW_MS + 1, NOW_MS))
    told = (await serving.get(BASE)).json()["data"][0]
    assert (told["status"], told["status_reason"], told["status_until"]) == ("live", "", None)


async def test_without_the_control_store_what_was_observed_is_answered(
    log: Log, control: SqlControl, tmp_path: Path
) -> None:
    empty = open_control(f"sqlite:///{tmp_path / 'empty.db'}")  # never migrated: as good as away
    for store in (None, empty):
        async with Serving(log, FixedReader(), control=store) as serving:
            listed = (await serving.get(BASE)).json()["data"]
            assert [row["username"] for row in listed] == ["durov"]
            assert (await serving.get(f"{BASE}/typoname")).status_code == 404
    await empty.close()


async def test_a_control_store_that_does_not_answer_delays_no_answer_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("asyncpg", reason="asyncpg is not installed (extra: cluster)")
    monkeypatch.setattr(database, "GRACE_S", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        control = open_control(f"postgresql://me:secret@127.0.0.1:{port}/control")
        followed = FollowedChannels(control, patience_s=0.05)
        assert [await followed.all(), await followed.all()] == [(), ()]
        await control.close()
    [line] = caplog.records
    assert (line.getMessage(), vars(line)["what"]) == ("unavailable", "control")
    assert vars(line)["reason"] == "the control store did not answer within 0.05 s"
