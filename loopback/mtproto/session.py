"""A session: what a client and the server have said to each other under one session id.

It outlives connections. What the client has not acknowledged is sent again when it comes back
with the same session id.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from telethon.tl import types

from loopback.mtproto import messages, tl
from loopback.mtproto.auth_keys import AuthKey
from loopback.mtproto.encryption import Sealed, seal
from loopback.mtproto.messages import Message, ServerIds
from streams.clock import Clock

#: Remembered for sending again; more than this and the oldest are lost, as at Telegram.
MAX_UNACKED = 1000
MAX_SEEN = 2000

Send = Callable[[bytes], None]


class Session:
    """Where it says `post`, the message is sent at the next `flush`, together with others."""

    def __init__(self, auth_key: AuthKey, session_id: int, clock: Clock) -> None:
        self.auth_key = auth_key
        self.session_id = session_id
        #: Whether the client has been told that the session is new.
        self.announced = False
        self.skew_s = 0.0
        self._clock = clock
        self._ids = ServerIds(clock)
        self._send: Send | None = None
        self._out: list[Message] = []
        self._unacked: OrderedDict[int, Message] = OrderedDict()
        #: Requests whose answer is still unacknowledged: request's id to answer's id.
        self._answers: dict[int, int] = {}
        self._seen: OrderedDict[int, None] = OrderedDict()

    @property
    def is_connected(self) -> bool:
        return self._send is not None

    def now_s(self) -> float:
        return self._clock.now_ms() / 1000 + self.skew_s

    def attach(self, send: Send) -> None:
        """A connection carries the session from now on."""
        if self._send == send:
            return
        self._send = send
        queued = {message.msg_id for message in self._out}
        self._out[:0] = [m for m in self._unacked.values() if m.msg_id not in queued]

    def detach(self, send: Send) -> None:
        if self._send == send:
            self._send = None
            self._out.clear()

    def post(self, body: bytes, *, answers: int | None = None, content: bool = True) -> None:
        """`answers` is the id of the request that caused it; None is a push."""
        msg_id = self._ids.msg_id(answer=answers is not None, skew_s=self.skew_s)
        message = Message(msg_id, self._ids.seqno(content=content), body)
        self._out.append(message)
        if not content:
            return
        self._unacked[msg_id] = message
        if answers is not None:
            self._answers[answers] = msg_id
        if len(self._unacked) > MAX_UNACKED:
            self.acknowledge([next(iter(self._unacked))])

    def post_service(self, obj: Any, answers: int) -> None:
        """A service message that needs no acknowledgement."""
        self.post(bytes(obj), answers=answers, content=False)

    def flush(self) -> None:
        """Encrypts and sends what was posted, packed into containers where there is more."""
        out, self._out = self._out, []
        for batch in messages.batches(out):
            if self._send is not None:
                self._send(self._sealed(batch))

    def acknowledge(self, msg_ids: Iterable[int]) -> None:
        done = set(msg_ids)
        for msg_id in done:
            self._unacked.pop(msg_id, None)
        self._answers = {req: ans for req, ans in self._answers.items() if ans not in done}

    def resend(self, msg_ids: Iterable[int]) -> None:
        self._out.extend(self._unacked[i] for i in msg_ids if i in self._unacked)

    def is_repeated(self, msg_id: int) -> bool:
        """Remembers the id. A repeated request is not executed; its answer is sent again."""
        if msg_id in self._seen:
            self.resend([self._answers.get(msg_id, 0)])
            return True
        self._seen[msg_id] = None
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)
        return False

    def states(self, msg_ids: Iterable[int]) -> str:
        """For msgs_state_info: 4 is received, 1 is unknown."""
        return "".join(chr(4 if i in self._seen else 1) for i in msg_ids)

    def complain(self, message: Message, code: int) -> None:
        """bad_msg_notification; the message is not executed."""
        bad = types.BadMsgNotification(message.msg_id, message.seqno, code)
        self.post_service(bad, message.msg_id)

    def announce(self, first_msg_id: int) -> None:
        """new_session_created, once."""
        if not self.announced:
            self.announced = True
            unique_id = first_msg_id ^ self.session_id
            created = types.NewSessionCreated(first_msg_id, unique_id, self.auth_key.salt)
            self.post(bytes(created))

    def _sealed(self, batch: list[Message]) -> bytes:
        if len(batch) == 1:
            msg_id, seqno, body = batch[0]
        else:
            # Made last, so that a container's id is above the ids inside.
            msg_id = self._ids.msg_id(answer=True, skew_s=self.skew_s)
            seqno, body = self._ids.seqno(content=False), messages.pack(batch)
        key = self.auth_key
        return seal(key.key, key.key_id, Sealed(key.salt, self.session_id, msg_id, seqno, body))


def packed(obj: Any) -> bytes:
    """An update, ready to be pushed to any number of sessions."""
    return tl.gzipped(tl.boxed(obj))
