"""The same laws on PostgreSQL: at ANALYTICBOT_TEST_POSTGRES, or on a private server made here."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from control import opening
from control.copying import copy
from control.sql import open_control
from control.store import ControlError, ControlStore, ControlUnavailable
from tests.control.copying import content, fill
from tests.control.keys import KEY
from tests.control.postgres import new_database, started
from tests.kafka.ports import free_ports
from tests.laws.control import DurableControlLaws, Opener

VARIABLE = "ANALYTICBOT_TEST_POSTGRES"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a server on which tests may make databases, without the database."""
    pytest.importorskip("asyncpg", reason="asyncpg is not installed (extra: cluster)")
    if given := os.environ.get(VARIABLE):
        yield given.rstrip("/")
    else:
        for postgres in started():
            yield postgres.url


class TestPostgres(DurableControlLaws):
    @pytest.fixture
    async def opener(self, server: str) -> Opener:
        url = await new_database(server)

        async def open_() -> ControlStore:
            store = open_control(url, KEY)
            await store.migrate()
            return store

        return open_

    async def test_a_database_that_does_not_exist(self, server: str) -> None:
        store = open_control(f"{server}/nowhere")
        with pytest.raises(ControlUnavailable, match='"nowhere" does not exist'):
            await store.migrate()
        await store.close()


async def test_who_stands_still_in_a_transaction_does_not_keep_the_others_from_the_leases(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "IDLE_TRANSACTION_S", 0.2)
    url = await new_database(server)
    frozen, other = open_control(url), open_control(url)
    await frozen.migrate()
    with pytest.raises(ControlUnavailable):
        async with frozen._database.writing_alone() as connection:
            assert await other.leases.acquire("bot", "two", 60_000)
            await connection.execute(text("SELECT 1"))
    assert await frozen.leases.acquire("bot", "one", 60_000) is None
    for store in (frozen, other):
        await store.close()


async def test_the_schema_of_an_older_version_is_named_until_it_is_migrated(server: str) -> None:
    store = open_control(await new_database(server))
    with pytest.raises(ControlUnavailable, match="run `analyticbot migrate`"):
        await store.followed()
    await store.migrate()
    async with store._database.writing() as connection:
        await connection.execute(text("ALTER TABLE followed DROP COLUMN status_reason"))
    with pytest.raises(ControlUnavailable, match=r"status_reason.*run `analyticbot migrate`"):
        await store.followed()
    await store.close()


async def test_a_server_that_is_away_is_named_without_the_password() -> None:
    pytest.importorskip("asyncpg", reason="asyncpg is not installed (extra: cluster)")
    store = open_control(f"postgresql://me:secret@127.0.0.1:{free_ports(1)[0]}/control")
    with pytest.raises(ControlUnavailable, match=r"me@127\.0\.0\.1") as raised:
        await store.followed()
    assert "secret" not in str(raised.value)
    await store.close()


def test_a_missing_host_is_refused() -> None:
    pytest.importorskip("asyncpg", reason="asyncpg is not installed (extra: cluster)")
    with pytest.raises(ControlError, match="names no host"):
        open_control("postgresql:///control")


async def test_what_was_set_on_one_machine_is_copied_to_a_cluster(
    server: str, tmp_path: Path
) -> None:
    old, new = f"sqlite:///{tmp_path / 'control.db'}", await new_database(server)
    await fill(old)
    assert (await copy(old, new, KEY))["followed"] == 2
    assert await content(new) == {**await content(old), "leases": [], "shares": []}
