"""The command as an operator runs it: its traces arrive, and its log is lines of JSON."""

import gzip
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.analyticbot.command import run


class Collector(HTTPServer):
    """Takes traces by OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.steps: Counter[str] = Counter()
        self.about: set[tuple[str, str]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"

    def take(self, body: bytes) -> None:
        for told in ExportTraceServiceRequest.FromString(body).resource_spans:
            attributes = told.resource.attributes
            self.about |= {(one.key, one.value.string_value) for one in attributes}
            for scope in told.scope_spans:
                self.steps.update(span.name for span in scope.spans)


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


def _demo(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    arguments = ("demo", "--port", "0", "--speed", "600", "--exit-after", "6")
    return run(folder, *arguments, **variables)


def test_traces_and_lines_of_json(collector: Collector, tmp_path: Path) -> None:
    done = _demo(
        tmp_path,
        ANALYTICBOT_TRACES=collector.url,
        ANALYTICBOT_TRACE_SHARE="1",
        ANALYTICBOT_LOG_FORMAT="json",
        ANALYTICBOT_INSTANCE="one-0",
    )
    assert done.returncode == 0, done.stderr
    # Nobody looks at the page, so no frame is sent.
    assert set(collector.steps) >= {
        "telegram.receive", "log.publish", "updates.fold", "window.send", "live.fold",
    }  # fmt: skip
    assert ("service.name", "analyticbot") in collector.about
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {"bot_started", "account_taken"} <= {line["event"] for line in lines}
    assert {(line["role"], line["instance"]) for line in lines} == {("demo", "one-0")}
