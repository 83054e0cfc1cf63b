"""Accepts connections: hands each to a protocol, or says that there is no room.

asyncio's own acceptor logs a traceback for every connection that it cannot take, thousands a second
when the process can open no more files. This one closes connections that wait, and tries again.
"""

import asyncio
import contextlib
import errno
import socket
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from api.limits import Limits
from api.notices import Notices
from api.peers import Peer, Peers
from api.problems import MEDIA_TYPE, RETRY_AFTER_S, encoded

#: Connections that are being begun at the same time: only those that have begun can be closed for
#: others, so these must be few of those that there may be.
_AT_ONCE: Final = 16
_PAUSE_S: Final = 0.1
#: Declined connections that are still open, so that their clients can read why; the oldest is
#: closed for the next.
_DECLINED: Final = 16
#: Bytes of a declined client that are read, and thrown away.
_DRAINED_BYTES: Final = 65_536


class Listener:
    """`start` and `stop` once each. The listening socket stays the caller's to close."""

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[Peer], asyncio.Protocol],
        peers: Peers,
        notices: Notices,
        limits: Limits,
    ) -> None:
        self._listening = listening
        self._make = make
        self._peers = peers
        self._notices = notices
        self._at_once = max(1, min(_AT_ONCE, limits.connections // 4))
        self._linger_s = limits.linger_s
        self._declined: deque[tuple[socket.socket, asyncio.TimerHandle]] = deque()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._begun: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._timer = None
        self._loop.add_reader(self._listening, self._accept)

    def stop(self) -> None:
        self._loop.remove_reader(self._listening)
        if self._timer is not None:
            self._timer.cancel()
        while self._declined:
            self._part()

    def _accept(self) -> None:
        """Called when connections wait to be accepted; the event loop gets its turn in between."""
        while len(self._begun) < self._at_once:
            try:
                connected, address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._wait(error)
                return
            self._take(connected, str(address[0]))

    def _wait(self, error: OSError) -> None:
        """Too many open files, or no memory: what waits in the kernel's queue is taken later."""
        self._notices.note(
            self._peers.now_s, "connection", errno.errorcode.get(error.errno or 0, "OS")
        )
        self._peers.free()
        while self._declined:
            self._part()
        self._loop.remove_reader(self._listening)
        self._timer = self._loop.call_later(_PAUSE_S, self.start)

    def _take(self, connected: socket.socket, address: str) -> None:
        connected.setblocking(False)
        peer = self._peers.enter(address)
        if peer is None:
            self._decline(connected)
            return
        begun = self._loop.create_task(self._begin(connected, peer))
        self._begun.add(begun)
        begun.add_done_callback(self._begun.discard)

    async def _begin(self, connected: socket.socket, peer: Peer) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: self._make(peer), connected)
        except OSError:
            # The client is gone already.
            connected.close()
            peer.leave()

    def _decline(self, connected: socket.socket) -> None:
        """Answers, and closes a while later: a connection that is closed before its request was
        read, or has come, is reset, and the client may lose the answer with it.
        """
        if not _sent_busy(connected):
            connected.close()
            return
        if len(self._declined) >= _DECLINED:
            self._part()
        timer = self._loop.call_later(self._linger_s, self._part)
        self._declined.append((connected, timer))

    def _part(self) -> None:
        """From the one that was declined first."""
        connected, timer = self._declined.popleft()
        timer.cancel()
        _drain(connected)
        connected.close()


def _sent_busy(connected: socket.socket) -> bool:
    """Whether the client was told to come later."""
    body = encoded(503, "busy", "there are too many connections: try again later", "")
    head = (
        f"HTTP/1.1 503 {HTTPStatus(503).phrase}\r\ncontent-type: {MEDIA_TYPE}\r\n"
        f"content-length: {len(body)}\r\nretry-after: {RETRY_AFTER_S}\r\nconnection: close\r\n\r\n"
    )
    _drain(connected)
    try:
        connected.send(head.encode() + body)
        connected.shutdown(socket.SHUT_WR)
    except OSError:
        # It is gone, or takes nothing.
        return False
    return True


def _drain(connected: socket.socket) -> None:
    """Of what has arrived: what is left unread resets the connection when it is closed."""
    with contextlib.suppress(OSError):
        connected.recv(_DRAINED_BYTES)
