"""One WebSocket connection: uvicorn's protocol, which answers every handshake and floods nobody."""

from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from api.peers import Peer

_REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class SocketConnection(WebSocketsSansIOProtocol):
    def __init__(self, config: Config, server_state: ServerState, peer: Peer) -> None:
        super().__init__(config, server_state, {})
        self._peer = peer

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._peer.protocol = self
        self._peer.work()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._peer.leave()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # The library has refused the handshake, and uvicorn does not look for its answer.
            answer = b"".join(self.conn.data_to_send())
            self.transport.write(answer or _REFUSED)
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """A text that is no UTF-8 is the client's fault, which uvicorn logs as an error of ours."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    async def send(self, message: ASGISendEvent) -> None:
        """Raises ClientDisconnected, also once what the client sent has ended the connection."""
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            # uvicorn takes a handshake that was refused with an answer of ours for unanswered.
            self.handshake_complete = True

    def pause_writing(self) -> None:
        """Else the answers to its pings would pile up for a client that reads nothing."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._peer.drained()
        if not self.read_paused:
            self.transport.resume_reading()

    def give_up(self, reason: str) -> None:
        self.transport.abort()
