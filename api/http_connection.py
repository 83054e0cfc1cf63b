"""One HTTP connection: uvicorn's protocol with a limit for everything that a client decides.

What breaks a limit, or is no HTTP, is answered with a problem and closed before the application
hears of it.
"""

from http import HTTPStatus
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from api.limits import Limits
from api.peers import Peer
from api.problems import MEDIA_TYPE, encoded
from api.socket_connection import SocketConnection

#: Methods of which a body is read.
_WITH_BODY = frozenset({b"POST", b"PUT", b"PATCH"})


class Refusal(h11.RemoteProtocolError):
    """What a client sent breaks a limit; `error_status_hint` is the answer's status."""


class _Parser(h11.Connection):
    """h11's parser within the limits; it keeps why it refused, which uvicorn does not pass on."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(h11.SERVER, limits.head_bytes)
        self._limits = limits
        self._body_left = 0
        #: Of the last request whose head was read.
        self.method = b""
        self.refusal: h11.RemoteProtocolError | None = None

    def next_event(self) -> Any:
        try:
            event = super().next_event()
            if isinstance(event, h11.Data):
                self._check_body(event)
            elif isinstance(event, h11.Request):
                self._check_head(event)
        except h11.RemoteProtocolError as error:
            self.refusal = error
            raise
        return event

    def _check_head(self, request: h11.Request) -> None:
        limits = self._limits
        self.method = request.method
        if len(request.target) > limits.line_bytes:
            raise Refusal(f"the path and query exceed {limits.line_bytes:,} bytes", 414)
        if len(request.headers) > limits.headers:
            raise Refusal(f"there are more than {limits.headers} header lines", 431)
        self._body_left = limits.body_bytes if request.method in _WITH_BODY else 0
        head_bytes = len(request.target)
        for name, value in request.headers:
            line_bytes = len(name) + len(value) + 2
            head_bytes += line_bytes
            if line_bytes > limits.line_bytes:
                shown = name[:40].decode("ascii")
                raise Refusal(f"the header {shown} exceeds {limits.line_bytes:,} bytes", 431)
            if name == b"content-length" and int(value) > self._body_left:
                raise Refusal(self._too_much(), 413)
        if head_bytes > limits.head_bytes:
            raise Refusal(f"the head exceeds {limits.head_bytes:,} bytes", 431)

    def _check_body(self, data: h11.Data) -> None:
        self._body_left -= len(data.data)
        if self._body_left < 0:
            raise Refusal(self._too_much(), 413)

    def _too_much(self) -> str:
        if self._body_left <= 0:
            return "the body exceeds what this method takes"
        return f"the body exceeds {self._limits.body_bytes:,} bytes"


class HttpConnection(H11Protocol):
    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        peer: Peer,
        limits: Limits,
    ) -> None:
        super().__init__(config, server_state, {})
        self.conn: _Parser = _Parser(limits)
        self._peer = peer
        self._limits = limits
        self._refused = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._peer.transport, self._peer.protocol = transport, self
        self._await_head("head")

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._peer.leave()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._peer.doing == "idle":
            self._await_head("head")
        super().data_received(data)
        self._look()

    def _look(self) -> None:
        """What the client is at, after what it has sent."""
        if self._refused or self._peer.protocol is not self or self.transport.is_closing():
            # An upgraded connection is its socket's, which has no body to be waited for.
            return
        theirs = self.conn.their_state
        if theirs is h11.SEND_BODY:
            if self._peer.doing != "body":
                self._peer.work("body", self._limits.body_s)
        elif theirs is not h11.IDLE and self._peer.doing != "":
            self._peer.work()

    def on_response_complete(self) -> None:
        # A body that nobody waited for is still read to its end, in its time.
        if self.conn.their_state is not h11.SEND_BODY:
            self._await_head("idle")
        super().on_response_complete()
        # uvicorn's own limit for an idle connection: ours is Peers', whose time stands still while
        # the process does.
        self._unset_keepalive_if_required()
        self._look()

    def resume_writing(self) -> None:
        self._peer.drained()
        super().resume_writing()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        if event.method != b"GET" or event.http_version != b"1.1":
            self.refuse(400, "a WebSocket is opened with GET and HTTP/1.1")
            return
        self.connections.discard(self)
        lines = [b"GET ", event.target, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            lines += [name, b": ", value, b"\r\n"]
        lines.append(b"\r\n")
        protocol = SocketConnection(self.config, self.server_state, self._peer)
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        protocol.data_received(b"".join(lines))

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn once the parser has refused something."""
        error = self.conn.refusal
        if isinstance(error, Refusal):
            self.refuse(error.error_status_hint, str(error))
        elif error is not None and error.error_status_hint == 431:
            self.refuse(431, f"the head exceeds {self._limits.head_bytes:,} bytes")
        else:
            self.refuse(400, f"not valid HTTP/1.1: {error or msg}")

    def give_up(self, reason: str) -> None:
        begun = self.conn.trailing_data[0] or self.conn.their_state is not h11.IDLE
        if begun and reason in ("head", "body"):
            self.refuse(408, f"the {reason} of the request took too long")
        else:
            self.transport.close()

    def refuse(self, status: int, detail: str) -> None:
        """Answers with a problem where nothing was answered yet, reads no more, and closes."""
        self._refused = True
        self._peer.refused(status)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._send_problem(status, detail)
            if self.transport.can_write_eof():
                self.transport.write_eof()
            # Closed at once, what it still sends would have the answer thrown away unread.
            self._peer.work("lingers", self._limits.linger_s)
        else:
            self.transport.close()

    def _send_problem(self, status: int, detail: str) -> None:
        """Past h11, which may be in the middle of what it refused."""
        body = encoded(status, "http", detail, "")
        headers = [
            *self.server_state.default_headers,
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        lines += [name + b": " + value for name, value in headers]
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        self.transport.write(head if self.conn.method == b"HEAD" else head + body)

    def _await_head(self, doing: str) -> None:
        self._peer.wait(doing, self._limits.head_s if doing == "head" else self._limits.idle_s)

    def _unsupported_upgrade_warning(self) -> None:
        """RFC 9110 lets a server ignore an upgrade that it does not know."""
