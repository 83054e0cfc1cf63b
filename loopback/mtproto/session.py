"""A session: the messages between a client and the server under one session id.

A session outlives connections. When the client reconnects with the same session id, the server
resends all unacknowledged messages.
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

#: The number of messages kept for resending; the oldest are lost first, as at Telegram.
MAX_UNACKED = 1000
MAX_SEEN = 2000

Send = Callable[[bytes], None]


class Session:
    """`post` queues messages; `flush` sends all queued ones together. No method waits."""

    def __init__(self, auth_key: AuthKey, session_id: int, clock: Clock) -> None:
        self.auth_key = auth_key
        self.session_id = session_id
        #: Whether `new_session_created` was sent.
        self.announced = False
        self.skew_s = 0.0
        self._clock = clock
        self._ids = ServerIds(clock)
        self._send: Send | None = None
        self._out: list[Message] = []
        self._unacked: OrderedDict[int, Message] = OrderedDict()
        #: The ids of unacknowledged answers, by the id of their request.
        self._answers: dict[int, int] = {}
        self._seen: OrderedDict[int, None] = OrderedDict()

    @property
    def is_connected(self) -> bool:
        return self._send is not None

    def now_s(self) -> float:
        return self._clock.now_ms() / 1000 + self.skew_s

    def attach(self, send: Send) -> None:
        """Connects the session by `send`; queues unacknowledged messages for resending."""
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
        """Queues a message. `answers`: the id of the request that it answers; None for a push."""
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
        """Queues a service message, which needs no acknowledgement."""
        self.post(bytes(obj), answers=answers, content=False)

    def flush(self) -> None:
        """Encrypts and sends all queued messages, packed into containers if there are several."""
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
        """Records the id. True for a repeated request: its answer is resent, do not execute it."""
        if msg_id in self._seen:
            self.resend([self._answers.get(msg_id, 0)])
            return True
        self._seen[msg_id] = None
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)
        return False

    def states(self, msg_ids: Iterable[int]) -> str:
        """For msgs_state_info: 4 is received, 1 is unknown, per id."""
        return "".join(chr(4 if i in self._seen else 1) for i in msg_ids)

    def complain(self, message: Message, code: int) -> None:
        """Queues bad_msg_notification; the message must not be executed."""
        bad = types.BadMsgNotification(message.msg_id, message.seqno, code)
        self.post_service(bad, message.msg_id)

    def announce(self, first_msg_id: int) -> None:
        """Queues new_session_created, at the first call only."""
        if not self.announced:
            self.announced = True
            unique_id = first_msg_id ^ self.session_id
            created = types.NewSessionCreated(first_msg_id, unique_id, self.auth_key.salt)
            self.post(bytes(created))

    def _sealed(self, batch: list[Message]) -> bytes:
        if len(batch) == 1:
            msg_id, seqno, body = batch[0]
        else:
            # Created last, so that a container's id is above the ids of its messages.
            msg_id = self._ids.msg_id(answer=True, skew_s=self.skew_s)
            seqno, body = self._ids.seqno(content=False), messages.pack(batch)
        key = self.auth_key
        return seal(key.key, key.key_id, Sealed(key.salt, self.session_id, msg_id, seqno, body))


def packed(obj: Any) -> bytes:
    """The body of an update, for any number of sessions."""
    return tl.gzipped(tl.boxed(obj))
