"""The command as an operator runs it: its traces arrive, and its log is lines of JSON."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.analyticbot.command import COMMAND, environment
from tests.analyticbot.otlp import Collector
from tests.patience import PATIENCE_S


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector().serving() as collector:
        yield collector


@contextmanager
def _demo(folder: Path, said: Path, **variables: str) -> Iterator[None]:
    """Runs, says what it logs into a file, and is ended as by Ctrl-C."""
    with said.open("w") as log:
        process = subprocess.Popen(
            [COMMAND, "demo", "--port", "0", "--speed", "600"],
            env=environment(folder, **variables),
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        yield
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()


def test_traces_and_lines_of_json(collector: Collector, tmp_path: Path) -> None:
    # Nobody looks at the page, so no frame is sent.
    steps = {"telegram.receive", "log.publish", "updates.fold", "windows.send", "live.fold"}
    variables = {
        "ANALYTICBOT_TRACES": collector.url,
        "ANALYTICBOT_TRACE_SHARE": "1",
        "ANALYTICBOT_LOG_FORMAT": "json",
        "ANALYTICBOT_LOG_LEVEL": "info",
        "ANALYTICBOT_INSTANCE": "one-0",
    }
    with _demo(tmp_path / "data", tmp_path / "said", **variables):
        assert collector.wait_for(steps), collector.steps
    assert ("service.name", "analyticbot") in collector.about
    lines = [json.loads(line) for line in (tmp_path / "said").read_text().splitlines()]
    assert {"bot_started", "account_taken"} <= {line["event"] for line in lines}
    assert {(line["role"], line["instance"]) for line in lines} == {("demo", "one-0")}
