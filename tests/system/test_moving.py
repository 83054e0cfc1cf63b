"""From one machine to a cluster on a real broker, by the commands of docs/OPERATING.md."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.analyticbot.command import COMMAND, environment, run
from tests.analyticbot.test_moving import answers, recording
from tests.control.copying import content, fill
from tests.control.keys import HEX
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import started
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def broker() -> Iterator[Cluster]:
    """One of its own: the names of topics are fixed."""
    yield from started(Cluster())


@contextmanager
def working(data: Path, log: str) -> Iterator[subprocess.Popen[str]]:
    """The command `work`, with history in its process; stopped as an operator stops it."""
    variables = environment(data, ANALYTICBOT_LOG=log, ANALYTICBOT_PORT="0")
    command = [COMMAND, "work"]
    with subprocess.Popen(
        command, env=variables, cwd="/", stdout=subprocess.PIPE, text=True
    ) as one:
        try:
            assert one.stdout is not None
            assert "work is running" in one.stdout.readline()
            yield one
        finally:
            one.send_signal(signal.SIGTERM)
            code = one.wait(PATIENCE_S)
    assert code == 0


def test_the_walk_from_one_machine_to_a_cluster(broker: Cluster, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    before = run(old, "replay", str(recording(tmp_path / "recording")))
    assert before.returncode == 0, before.stderr
    control = f"sqlite:///{old / 'control.db'}"
    asyncio.run(fill(control))

    key = {"ANALYTICBOT_SECRET_KEY": HEX}
    made = run(new, "migrate", "--control-from", control, ANALYTICBOT_LOG=broker.url, **key)
    assert made.returncode == 0, made.stderr
    with working(new, broker.url):
        moved, again = (
            run(tmp_path / "here", "replay", str(old / "log"), ANALYTICBOT_LOG=broker.url)
            for _ in range(2)
        )
    assert moved.returncode == 0, moved.stderr
    assert "messages of that log are in history" in moved.stdout
    assert "nothing was written" in again.stdout

    assert answers(new) == answers(old)
    there = asyncio.run(content(f"sqlite:///{new / 'control.db'}"))
    assert there["followed"] == asyncio.run(content(control))["followed"]

    # The tables are the changelogs' and only kept to save time: without them nothing differs.
    shutil.rmtree(new / "tables")
    with working(new, broker.url):
        last = run(tmp_path / "here", "replay", str(old / "log"), ANALYTICBOT_LOG=broker.url)
    assert "nothing was written" in last.stdout
    assert answers(new) == answers(old)

    # And on from there, to any other log: so the number of partitions changes.
    other = run(tmp_path / "other", "replay", broker.url, ANALYTICBOT_PARTITIONS="7")
    assert other.returncode == 0, other.stderr
    assert answers(tmp_path / "other") == answers(old)
