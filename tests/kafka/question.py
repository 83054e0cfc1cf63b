"""Asking a broker for metadata over a plain socket: who is there, and who leads what.

So that a cluster can be started and watched with no client of Kafka and no event loop.
"""

import socket
import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_METADATA = 3
_VERSION = 1


class Metadata(NamedTuple):
    #: The node ids of the brokers that are up and not fenced.
    brokers: Sequence[int]
    controller: int
    #: Of each partition of the topics asked for: the leader's node id, or -1.
    leaders: Mapping[tuple[str, int], int]
    in_sync: Mapping[tuple[str, int], Sequence[int]]


class _Answer:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, code: str) -> int:
        [value] = struct.unpack_from(f">{code}", self._data, self._at)
        self._at += struct.calcsize(f">{code}")
        return int(value)

    def text(self) -> str:
        size = max(self.number("h"), 0)
        self._at += size
        return self._data[self._at - size : self._at].decode()

    def numbers(self) -> Sequence[int]:
        return [self.number("i") for _ in range(self.number("i"))]


def ask(port: int, topics: Sequence[str] = (), timeout_s: float = 2.0) -> Metadata:
    """Raises OSError when the broker does not answer."""
    names = b"".join(struct.pack(">h", len(name)) + name.encode() for name in topics)
    head = struct.pack(">hhih", _METADATA, _VERSION, 1, -1)
    question = head + struct.pack(">i", len(topics)) + names
    with socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
        connection.settimeout(timeout_s)
        connection.sendall(struct.pack(">i", len(question)) + question)
        [size] = struct.unpack(">i", _exactly(connection, 4))
        return _read(_Answer(_exactly(connection, size)))


def _read(answer: _Answer) -> Metadata:
    answer.number("i")
    brokers = []
    for _ in range(answer.number("i")):
        brokers.append(answer.number("i"))
        answer.text()
        answer.number("i")
        answer.text()
    controller = answer.number("i")
    leaders, in_sync = {}, {}
    for _ in range(answer.number("i")):
        answer.number("h")
        topic = answer.text()
        answer.number("b")
        for _ in range(answer.number("i")):
            answer.number("h")
            place = (topic, answer.number("i"))
            leaders[place] = answer.number("i")
            answer.numbers()
            in_sync[place] = answer.numbers()
    return Metadata(brokers, controller, leaders, in_sync)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("the broker closed the connection")
        data += more
    return data
