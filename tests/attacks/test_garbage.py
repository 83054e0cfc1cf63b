"""Generated requests, on one server: no answer is 5xx, and nothing is an error of ours."""

import asyncio
import base64
import contextlib
import logging
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes
from zlib import crc32

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.limits import Limits
from api.settings import Settings
from clickhouse.cursor import Place
from tests.api.reading import FixedReader
from tests.api.serving import Serving, open_log, put, summary
from tests.attacks.knocking import HANDSHAKE, request
from tests.patience import PATIENCE_S

BASE = "/api/v1/channels/durov"
MANY = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Served:
    """A server in a thread of its own, for tests that cannot await."""

    def __init__(self) -> None:
        self.port = 0
        self._ready, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> "Served":
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    async def _serve(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            log = await open_log(Path(folder) / "log")
            await put(log, summary("One"), summary("Two"))
            (Path(folder) / "index.html").write_text("<!doctype html><title>Channels</title>")
            limits = Limits(head_s=0.5, idle_s=1, linger_s=0.5)
            told = Settings(port=0, limits=limits, static_dir=Path(folder))
            async with Serving(log, FixedReader(), told) as serving:
                self.port = serving.server.port
                self._ready.set()
                await asyncio.to_thread(self._stop.wait)
            await log.close()

    def answers(self, sent: bytes) -> list[int]:
        """The status of every answer that comes; the last bytes are sent, and then no more."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as caller:
            received = b""
            with contextlib.suppress(ConnectionError):
                caller.sendall(sent)
                caller.shutdown(socket.SHUT_WR)
                # A stream, and a socket, would not end.
                while (data := caller.recv(65_536)) and b"\r\n\r\n" not in received + data:
                    received += data
                received += data
        lines = received.split(b"HTTP/1.1 ")[1:]
        return [int(line[:3]) for line in lines]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Served() as served:
        yield served


@pytest.fixture(autouse=True)
def said(served: Served) -> Iterator[list[logging.LogRecord]]:
    """As in conftest.py, with no event loop."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = records.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    yield records
    logging.getLogger().removeHandler(handler)
    assert not records, [record.getMessage() for record in records]


def fine(served: Served, sent: bytes) -> None:
    statuses = served.answers(sent)
    assert all(status < 500 for status in statuses), statuses


no_breaks = st.binary(max_size=80).map(lambda data: data.replace(b"\r", b"").replace(b"\n", b""))
#: Escaped bytes, and text as it comes, as part of a path or query.
escaped = st.one_of(
    st.binary(max_size=40).map(lambda data: quote_from_bytes(data, safe="")),
    st.text("/.%-~0aé\0", max_size=40).map(lambda text: quote_from_bytes(text.encode(), safe="/.")),
    st.text("abc/.%2f\\:@*?&=#", max_size=40),
    st.integers(250, 9_000).map(lambda number: "a" * number),
    st.sampled_from(
        ["%00", "..%2f..%2fetc/passwd", "%", "%zz", "//x", "assets/", "swagger/..", "."]
    ),
)
whole = st.one_of(st.integers(-(2**63), 2**64 - 1), st.sampled_from([2**62, 2**63, -1, -5]))
floats = st.floats(allow_nan=True, allow_infinity=True)


def token(value: object, *, checked: bool = False) -> str:
    data = msgspec.msgpack.encode(value)
    data += crc32(data).to_bytes(4, "big") if checked else b""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@MANY
@given(st.binary(max_size=400))
def test_bytes(served: Served, sent: bytes) -> None:
    fine(served, sent)


@MANY
@given(no_breaks, no_breaks, no_breaks)
def test_heads(served: Served, host: bytes, name: bytes, value: bytes) -> None:
    head = b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n" + name + b": " + value
    fine(served, head + b"\r\n\r\n")


@MANY
@given(
    st.sampled_from(["host", "origin", "cookie", "authorization", "if-none-match", "connection",
                     "upgrade", "last-event-id", "content-length", "transfer-encoding", "expect",
                     "accept-encoding", "sec-websocket-key", "sec-websocket-extensions",
                     "sec-websocket-protocol", "x-forwarded-for", "content-type"]),
    no_breaks,
    st.sampled_from(["/", "/healthz", "/api/v1/live", "/api/v1/taps/stream", BASE]),
    st.booleans(),
    st.sampled_from(["GET", "HEAD", "OPTIONS", "POST"]),
)  # fmt: skip
def test_headers(
    served: Served, name: str, value: bytes, path: str, upgraded: bool, method: str
) -> None:
    lines = HANDSHAKE if upgraded else ()
    fine(served, request(path, *lines, name.encode() + b": " + value, method=method))


@MANY
@given(escaped, st.sampled_from(["/", "/assets/", "/channels/", "/api/v1/", f"{BASE}/posts/"]))
def test_paths(served: Served, path: str, below: str) -> None:
    fine(served, request(below + path))


@MANY
@given(
    escaped,
    st.sampled_from(["from", "to", "step", "limit", "sort", "cursor", "since", "types", "x"]),
    st.sampled_from(["posts", "alerts", "views", "growth", "overview", "posts/7"]),
)
def test_queries(served: Served, value: str, name: str, below: str) -> None:
    fine(served, request(f"{BASE}/{below}?{name}={value}"))
    fine(served, request(f"/api/v1/taps/stream?{name}={value}"))


@MANY
@given(st.one_of(st.lists(st.one_of(whole, st.none(), st.text(max_size=3)), max_size=3), whole))
def test_cursors_of_alerts(served: Served, place: object) -> None:
    fine(served, request(f"{BASE}/alerts?cursor={token(place)}"))
    fine(served, request(f"/api/v1/channels?cursor={token(place)}"))


@MANY
@given(st.sampled_from(["date", "views", "luck"]), floats, whole)
def test_cursors_of_posts(served: Served, sort: str, place: float, post_id: int) -> None:
    assert Place.__struct_fields__ == ("sort", "place", "post_id")
    fine(served, request(f"{BASE}/posts?sort=views&cursor={token([sort, place, post_id])}"))


@MANY
@given(
    st.lists(
        st.tuples(st.integers(-1, 3), st.integers(-1, 2), whole, st.none() | whole), max_size=5
    ),
    st.integers(0, 2),
)
def test_where_to_resume(served: Served, rows: object, version: int) -> None:
    text = token([version, rows], checked=True)
    fine(served, request("/api/v1/taps/stream", f"Last-Event-ID: {text}"))
    fine(served, request(f"/api/v1/live?resume={text}", *HANDSHAKE))


@MANY
@given(whole, st.none() | whole)
def test_where_to_resume_in_the_partitions_that_there_are(
    served: Served, at: int, before_ms: int | None
) -> None:
    """With the form that the server gives out."""
    rows = [[topic, number, at, before_ms] for topic in (0, 1) for number in (0, 1)]
    text = token([1, rows], checked=True)
    fine(served, request("/api/v1/taps/stream", f"Last-Event-ID: {text}"))
    fine(served, request(f"/api/v1/live?resume={text}", *HANDSHAKE))
