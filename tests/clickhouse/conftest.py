"""One engine for all tests of this folder, because a process can open one folder only."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from clickhouse.chdb import CONFIG

_numbers = itertools.count()


@pytest.fixture(scope="package")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Path]]:
    """Keeps the engine open until the last test of the folder has ended."""
    folder = tmp_path_factory.mktemp("engine")
    options = {"config-file": CONFIG}
    client = clickhouse_connect.get_client(interface="chdb", path=str(folder), chdb_options=options)
    yield client, folder
    client.close()


@pytest.fixture(scope="package")
def engine(keeper: tuple[Client, Path]) -> Path:
    """The engine's folder."""
    return keeper[1]


@pytest.fixture
def database(keeper: tuple[Client, Path]) -> Iterator[str]:
    """A name that no other test has; what it holds is dropped at the end."""
    name = f"test_{next(_numbers)}"
    yield name
    keeper[0].command(f"DROP DATABASE IF EXISTS {name} SYNC")
