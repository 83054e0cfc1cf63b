"""One TCP connection: reads packets, executes their requests, sends the answers."""

import asyncio
import struct
from collections.abc import Callable, Set
from typing import Any, NamedTuple, Protocol

from telethon.tl import functions, types

from loopback.mtproto import messages, tl
from loopback.mtproto.auth_keys import AuthKey
from loopback.mtproto.encryption import unseal
from loopback.mtproto.errors import (
    DamagedMessage,
    RpcFailure,
    UnknownAuthKey,
)
from loopback.mtproto.framing import Framing
from loopback.mtproto.key_exchange import KeyExchange
from loopback.mtproto.messages import Message, ServerIds
from loopback.mtproto.service import answer_service, rpc_result
from loopback.mtproto.session import Session

#: The connection of a client with more unread bytes is cut.
MAX_UNSENT_BYTES = 1 << 26
_WRAPPERS = (
    functions.InvokeWithLayerRequest,
    functions.InitConnectionRequest,
    functions.InvokeWithoutUpdatesRequest,
    functions.InvokeAfterMsgRequest,
    functions.InvokeAfterMsgsRequest,
)


class Answer(NamedTuple):
    """The content of an `rpc_result`, and the delay before it is sent."""

    body: bytes
    delay_s: float = 0.0


class Methods(Protocol):
    """Executes requests. Called on the event loop; must not wait."""

    def call(self, auth_key: AuthKey, request: Any) -> Answer:
        """Raises RpcFailure or Cut."""

    def unreadable(self, auth_key: AuthKey, body: bytes) -> Answer:
        """Called for a request outside of the schema. Raises RpcFailure."""


class Peers(Protocol):
    """The port that a connection needs of its server."""

    def key(self, key_id: bytes) -> AuthKey | None: ...

    def new_key(self, key: bytes) -> AuthKey: ...

    def session(self, auth_key: AuthKey, session_id: int) -> Session: ...

    def server_time_s(self) -> int: ...


class Connection:
    def __init__(
        self,
        framing: Framing,
        writer: asyncio.StreamWriter,
        peers: Peers,
        methods: Methods,
        exchange: KeyExchange,
        plain_ids: ServerIds,
    ) -> None:
        self._framing = framing
        self._writer = writer
        self._peers = peers
        self._methods = methods
        self._exchange = exchange
        self._plain_ids = plain_ids
        self._sessions: set[Session] = set()

    async def run(self) -> None:
        """Runs until the client leaves (IncompleteReadError) or violates the protocol.

        Raises MtprotoError, Cut or a connection error.
        """
        try:
            while True:
                self._take(await self._framing.read())
                await self._writer.drain()
        except UnknownAuthKey:
            self.send_error(-404)
            raise
        finally:
            for session in self._sessions:
                session.detach(self.send)

    def send(self, packet: bytes) -> None:
        self._write(self._framing.frame(packet))

    def send_error(self, code: int) -> None:
        self._write(self._framing.error(code))

    def _write(self, data: bytes) -> None:
        transport = self._writer.transport
        if transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            transport.abort()
        if not transport.is_closing():
            self._writer.write(data)

    def carries(self, sessions: Set[Session]) -> bool:
        return not self._sessions.isdisjoint(sessions)

    def abort(self) -> None:
        self._writer.transport.abort()

    def _take(self, packet: bytes) -> None:
        if packet[:8] == bytes(8):
            self._take_plain(packet)
            return
        auth_key = self._peers.key(packet[:8])
        if auth_key is None:
            raise UnknownAuthKey(packet[:8].hex())
        sealed = unseal(auth_key.key, packet)
        session = self._peers.session(auth_key, sealed.session_id)
        self._sessions.add(session)
        session.attach(self.send)
        self._take_outer(session, sealed.salt, Message(*sealed[2:]))
        session.flush()

    def _take_plain(self, packet: bytes) -> None:
        size = int.from_bytes(packet[16:20], "little")
        request = tl.read(packet[20 : 20 + size])
        answer = self._exchange.answer(request, self._peers.server_time_s())
        if self._exchange.auth_key is not None:
            self._peers.new_key(self._exchange.auth_key)
        if answer is not None:
            body = bytes(answer)
            msg_id = self._plain_ids.msg_id(answer=True)
            self.send(struct.pack("<qqi", 0, msg_id, len(body)) + body)

    def _take_outer(self, session: Session, salt: int, outer: Message) -> None:
        """Checks the packet as a whole; executes its messages only if it passes."""
        right_salt = session.auth_key.salt
        if salt != right_salt:
            bad_salt = types.BadServerSalt(outer.msg_id, outer.seqno, 48, right_salt)
            session.post_service(bad_salt, outer.msg_id)
            return
        if code := messages.complaint(outer.msg_id, session.now_s()):
            session.complain(outer, code)
            return
        session.announce(outer.msg_id)
        for message in messages.unpack(outer):
            self._take_message(session, message)

    def _take_message(self, session: Session, message: Message) -> None:
        if message.is_content:
            session.post_service(types.MsgsAck([message.msg_id]), message.msg_id)
        if session.is_repeated(message.msg_id):
            return
        body = tl.unzipped(message.body)
        try:
            request = tl.read(body)
        except DamagedMessage:
            self._call(session, message, lambda: self._methods.unreadable(session.auth_key, body))
            return
        if answer_service(session, message.msg_id, request):
            return
        if not message.is_content:
            session.complain(message, 35)
            return
        request = _unwrapped(session.auth_key, request)
        self._call(session, message, lambda: self._methods.call(session.auth_key, request))

    def _call(self, session: Session, message: Message, call: Callable[[], Answer]) -> None:
        try:
            answer = call()
        except RpcFailure as failure:
            answer = Answer(bytes(types.RpcError(failure.code, failure.message)))
        body = rpc_result(message.msg_id, tl.gzipped(answer.body))
        if not answer.delay_s:
            session.post(body, answers=message.msg_id)
            return

        def later() -> None:
            session.post(body, answers=message.msg_id)
            session.flush()

        asyncio.get_running_loop().call_later(answer.delay_s, later)


def _unwrapped(auth_key: AuthKey, request: Any) -> Any:
    """The request without its wrappers, whose content is stored in the key."""
    updates = True
    while isinstance(request, _WRAPPERS):
        match request:
            case functions.InvokeWithLayerRequest():
                auth_key.layer = request.layer
            case functions.InitConnectionRequest():
                auth_key.device = request
            case functions.InvokeWithoutUpdatesRequest():
                updates = False
            case _:
                pass
        request = request.query
    if updates and not isinstance(request, functions.help.GetConfigRequest):
        auth_key.wants_updates = True
    return request
