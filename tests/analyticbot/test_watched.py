"""The command as an operator runs it: its traces arrive, and its log is lines of JSON."""

import gzip
import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Condition, Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.analyticbot.command import COMMAND, environment

PATIENCE_S = 90


class Collector(HTTPServer):
    """Takes traces by OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.steps: Counter[str] = Counter()
        self.about: set[tuple[str, str]] = set()
        self._taken = Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"

    def take(self, body: bytes) -> None:
        with self._taken:
            for told in ExportTraceServiceRequest.FromString(body).resource_spans:
                attributes = told.resource.attributes
                self.about |= {(one.key, one.value.string_value) for one in attributes}
                for scope in told.scope_spans:
                    self.steps.update(span.name for span in scope.spans)
            self._taken.notify_all()

    def wait_for(self, steps: set[str]) -> bool:
        """Whether all of them have come before long."""
        with self._taken:
            return self._taken.wait_for(lambda: steps <= self.steps.keys(), PATIENCE_S)


class _Request(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.take(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (overrides)
        """Nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        thread = Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


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
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()


def test_traces_and_lines_of_json(collector: Collector, tmp_path: Path) -> None:
    # Nobody looks at the page, so no frame is sent.
    steps = {"telegram.receive", "log.publish", "updates.fold", "window.send", "live.fold"}
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
