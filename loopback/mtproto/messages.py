"""Message ids, sequence numbers and containers, which wrap all bodies.

https://core.telegram.org/mtproto/description#message-identifier-msg-id
"""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from loopback.mtproto.errors import DamagedMessage
from loopback.mtproto.tl import MSG_CONTAINER
from streams.clock import Clock

#: Limits of one container.
MAX_CONTAINED = 100
MAX_CONTAINER_BYTES = 1 << 20
#: The largest difference of a client's message from the server's time.
OLDEST_S, NEWEST_S = 300, 30

_INNER = struct.Struct("<qii")


class Message(NamedTuple):
    """One message, in a container or alone."""

    msg_id: int
    seqno: int
    body: bytes

    @property
    def is_content(self) -> bool:
        """Whether the receiver must acknowledge the message."""
        return bool(self.seqno & 1)


class ServerIds:
    """Strictly growing ids with the server's time; sequence numbers that count content messages."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._content_messages = 0

    def msg_id(self, *, answer: bool, skew_s: float = 0.0) -> int:
        """A new id. Its two lowest bits mark the answer to a request of the client."""
        now_ms = self._clock.now_ms() + int(skew_s * 1000)
        fresh = (now_ms // 1000) << 32 | ((now_ms % 1000) << 32) // 1000 & ~3
        # Ids must not repeat within a millisecond or after a small step back of the clock; they
        # follow larger steps (a test's skew).
        if fresh <= self._last and self._last - fresh < OLDEST_S << 32:
            fresh = self._last + 4
        self._last = fresh
        return fresh | (1 if answer else 3)

    def seqno(self, *, content: bool) -> int:
        number = self._content_messages * 2 + content
        self._content_messages += content
        return number


def complaint(msg_id: int, now_s: float) -> int | None:
    """The error code for an invalid id of a client; None for a valid one."""
    if msg_id & 3:
        return 18
    age_s = now_s - (msg_id >> 32)
    if age_s > OLDEST_S:
        return 16
    if age_s < -NEWEST_S:
        return 17
    return None


def unpack(message: Message) -> Iterator[Message]:
    """The messages of a container, or the message itself. Raises DamagedMessage."""
    body = message.body
    if int.from_bytes(body[:4], "little") != MSG_CONTAINER:
        yield message
        return
    position = 8
    for _ in range(int.from_bytes(body[4:8], "little")):
        if position + _INNER.size > len(body):
            raise DamagedMessage("a container ends before its messages")
        msg_id, seqno, size = _INNER.unpack_from(body, position)
        position += _INNER.size
        if not 0 <= size <= len(body) - position:
            raise DamagedMessage(f"a message of {size} bytes in a container")
        yield Message(msg_id, seqno, body[position : position + size])
        position += size


def pack(messages: Sequence[Message]) -> bytes:
    """The body of a container."""
    parts = [struct.pack("<Ii", MSG_CONTAINER, len(messages))]
    for message in messages:
        parts += (_INNER.pack(message.msg_id, message.seqno, len(message.body)), message.body)
    return b"".join(parts)


def batches(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Splits messages into lists that fit into one container each."""
    batch: list[Message] = []
    size = 0
    for message in messages:
        room = size + len(message.body) <= MAX_CONTAINER_BYTES and len(batch) < MAX_CONTAINED
        if batch and not room:
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += len(message.body) + _INNER.size
    if batch:
        yield batch
