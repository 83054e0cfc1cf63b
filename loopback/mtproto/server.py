"""The listener on 127.0.0.1, with its keys, sessions and connections."""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from typing import Any

from loopback.mtproto.auth_keys import AuthKey, AuthKeys
from loopback.mtproto.connection import Connection, Methods
from loopback.mtproto.errors import Cut, MtprotoError
from loopback.mtproto.framing import detect
from loopback.mtproto.key_exchange import KeyExchange
from loopback.mtproto.messages import ServerIds
from loopback.mtproto.rsa_key import process_key
from loopback.mtproto.session import Session, packed
from streams.clock import Clock, SystemClock

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
#: The number of sessions without a connection that the server keeps, with their unacknowledged
#: messages, for reconnecting clients; it drops the longest unused ones first.
MAX_LEFT_SESSIONS = 50
_READ_BUFFER_BYTES = 1 << 20


class MtprotoServer:
    """Telegram's transport. Called from one event loop only.

    Message ids carry the time of `clock`, which must be the machine's (clients compare it with
    theirs), shifted by `skew_s`. `secret` makes it an MTProxy.
    """

    def __init__(
        self, methods: Methods, *, clock: Clock | None = None, secret: bytes | None = None
    ) -> None:
        self.keys = AuthKeys()
        self.skew_s = 0.0
        self.port = 0
        self._methods = methods
        self._clock = clock or SystemClock()
        self._secret = secret
        self._sessions: OrderedDict[tuple[bytes, int], Session] = OrderedDict()
        self._connections: set[Connection] = set()
        #: All connections, including those whose transport is not known yet.
        self._talks: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self._unflushed: set[Session] = set()

    async def start(self, port: int = 0) -> None:
        """Listens on `port`; 0 means the previous port, or a free one at the first start."""
        self._server = await asyncio.start_server(
            self._serve, HOST, port or self.port, limit=_READ_BUFFER_BYTES
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuses new connections and drops the present ones; returns when they have ended."""
        if self._server is None:
            return
        self._server.close()
        tasks = list(self._talks)
        self.drop_all()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def drop_all(self, user_id: int | None = None) -> None:
        """Cuts all connections, or those of one account, without a message."""
        if user_id is None:
            for writer in self._talks.values():
                writer.transport.abort()
            return
        sessions = {s for s in self._sessions.values() if s.auth_key.user_id == user_id}
        for connection in self._connections:
            if connection.carries(sessions):
                connection.abort()

    def send_error(self, code: int) -> None:
        """Sends a transport error, such as -429, to all clients."""
        for connection in self._connections:
            connection.send_error(code)

    def push(self, updates: Any, user_id: int) -> int:
        """Pushes to the account's connected sessions that want updates; returns their number.

        Does not wait: the next iteration of the loop sends all pending messages in one packet.
        """
        sessions = [s for s in self._sessions.values() if s.is_connected and _listens(s, user_id)]
        body = packed(updates) if sessions else b""
        for session in sessions:
            session.post(body)
            self._flush_soon(session)
        return len(sessions)

    # Implements connection.Peers.

    def key(self, key_id: bytes) -> AuthKey | None:
        return self.keys.find(key_id)

    def new_key(self, key: bytes) -> AuthKey:
        return self.keys.add(key)

    def session(self, auth_key: AuthKey, session_id: int) -> Session:
        place = (auth_key.key_id, session_id)
        session = self._sessions.get(place)
        if session is None:
            self._forget_left_sessions()
            session = self._sessions[place] = Session(auth_key, session_id, self._clock)
        self._sessions.move_to_end(place)
        session.skew_s = self.skew_s
        return session

    def server_time_s(self) -> int:
        return int(self._clock.now_ms() / 1000 + self.skew_s)

    def connected_sessions(self, auth_key: AuthKey) -> list[Session]:
        return [s for s in self._sessions.values() if s.auth_key is auth_key and s.is_connected]

    def _forget_left_sessions(self) -> None:
        left = [place for place, one in self._sessions.items() if not one.is_connected]
        for place in left[:-MAX_LEFT_SESSIONS]:
            del self._sessions[place]

    def _flush_soon(self, session: Session) -> None:
        if not self._unflushed:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unflushed.add(session)

    def _flush(self) -> None:
        sessions, self._unflushed = self._unflushed, set()
        for session in sessions:
            session.flush()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks[task] = writer
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, Cut):
            try:
                await self._talk(reader, writer)
            except MtprotoError as exc:
                fields = {"kind": type(exc).__name__, "reason": str(exc)}
                logger.warning("connection_refused", extra=fields)
            finally:
                writer.close()
                del self._talks[task]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framing = await detect(reader, self._secret)
        exchange, ids = KeyExchange(process_key), ServerIds(self._clock)
        connection = Connection(framing, writer, self, self._methods, exchange, ids)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.remove(connection)


def _listens(session: Session, user_id: int) -> bool:
    return session.auth_key.wants_updates and session.auth_key.user_id == user_id
