"""A collector of traces, by OTLP over HTTP, on loopback."""

import gzip
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Condition, Thread
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.patience import PATIENCE_S


class Collector(HTTPServer):
    """Takes traces by OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.steps: Counter[str] = Counter()
        self.about: set[tuple[str, str]] = set()
        #: What it was sent, as it was sent.
        self.bodies: list[bytes] = []
        self._taken = Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"

    def take(self, body: bytes) -> None:
        with self._taken:
            self.bodies.append(body)
            for told in ExportTraceServiceRequest.FromString(body).resource_spans:
                attributes = told.resource.attributes
                self.about |= {(one.key, one.value.string_value) for one in attributes}
                for scope in told.scope_spans:
                    self.steps.update(span.name for span in scope.spans)
            self._taken.notify_all()

    @contextmanager
    def serving(self) -> Iterator[Self]:
        with self:
            thread = Thread(target=self.serve_forever)
            thread.start()
            try:
                yield self
            finally:
                self.shutdown()
                thread.join()

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
