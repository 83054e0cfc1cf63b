"""The connections of a server: how many there may be, and how long each may take its time.

Their time passes only while the server looks: a process that was stopped, or kept from its event
loop, closes nobody for what it has not read yet.

A connection waits while no request of it is under way. When there is no room for a new one, the
oldest that waits is closed for it: idle connections cannot keep out those who ask something.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Final, Protocol

from api.addresses import Shared, origin_of
from api.limits import Limits
from api.notices import Notices
from streams.metrics import Metrics

#: Closed at once when the process can open no more files.
_FREED: Final = 16
#: Ends that are nobody's fault.
_EXPECTED: Final = frozenset({"idle", "lingers"})
#: Whoever is closed for these is not told.
_ABRUPT: Final = frozenset({"displaced", "lingers", "stalled"})


class Ending(Protocol):
    """A connection, as its protocol implements it."""

    def give_up(self, reason: str) -> None:
        """Called once the time for `reason` is over: answers if it can, and closes."""


class Peer:
    """One connection. Made by Peers.enter; its protocol says what it is doing."""

    def __init__(self, origin: str, peers: "Peers") -> None:
        self.origin = origin
        self._peers = peers
        self.transport: asyncio.Transport | None = None
        self.protocol: Ending | None = None
        #: By when it must have done what it is at, and what that is; None: it may take for ever.
        self.deadline_s: float | None = None
        self.doing = ""
        #: Bytes that were unsent when its time to take some of them began, and when that was.
        self._unsent = 0
        self._since_s: float | None = None

    def wait(self, doing: str, allowed_s: float) -> None:
        """No request is under way: it may be closed for another connection."""
        self.doing, self.deadline_s = doing, self._peers.now_s + allowed_s
        self._peers.waits(self)

    def work(self, doing: str = "", allowed_s: float | None = None) -> None:
        """A request is under way. `allowed_s` None: it may take for ever."""
        self.doing = doing
        self.deadline_s = None if allowed_s is None else self._peers.now_s + allowed_s
        self._peers.works(self)

    def drained(self) -> None:
        """What was to be sent has been taken."""
        self._since_s = None

    def refused(self, status: int) -> None:
        """What it sent was answered with `status` before the application heard of it."""
        self._peers.refused(status)

    def leave(self) -> None:
        """The connection is closed."""
        self._peers.leave(self)

    def unsent(self) -> int:
        """Bytes that the client has not taken yet."""
        return 0 if self.transport is None else self.transport.get_write_buffer_size()

    def overdue(self, now_s: float, limits: Limits) -> str | None:
        """Why it is to be closed now."""
        if self.deadline_s is not None and now_s >= self.deadline_s:
            return self.doing
        return "stalled" if self._stalls(now_s, limits) else None

    def _stalls(self, now_s: float, limits: Limits) -> bool:
        unsent = self.unsent()
        if not unsent:
            self._since_s = None
        elif self._since_s is None or self._unsent - unsent >= limits.taken_bytes:
            self._since_s, self._unsent = now_s, unsent
        return self._since_s is not None and now_s - self._since_s >= limits.stall_s


class Peers:
    """All connections of one server. Calls come from its event loop, and none of them waits."""

    def __init__(self, limits: Limits, shared: Shared, notices: Notices, metrics: Metrics) -> None:
        self._limits = limits
        self._shared = shared
        self._notices = notices
        self._metrics = metrics
        #: By the clock that passes only while this is swept.
        self.now_s = 0.0
        self._swept_s: float | None = None
        self._peers: set[Peer] = set()
        #: The longest waiting first.
        self._waiting: dict[Peer, None] = {}
        self._origins: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._peers)

    def all(self) -> frozenset[Peer]:
        return frozenset(self._peers)

    def enter(self, address: str) -> Peer | None:
        """A new connection; None when there is no room for it, which is noted."""
        origin = origin_of(address)
        full = self._origins[origin] >= self._limits.per_address and address not in self._shared
        if full and not self._make_room(self._of(origin)):
            self._dropped("address_full", origin)
            return None
        full = len(self._peers) >= self._limits.connections
        if full and not self._make_room(iter(self._waiting)):
            self._dropped("server_full")
            return None
        peer = Peer(origin, self)
        self._peers.add(peer)
        self._origins[origin] += 1
        return peer

    def leave(self, peer: Peer) -> None:
        if peer in self._peers:
            self._peers.remove(peer)
            self._waiting.pop(peer, None)
            self._origins[peer.origin] -= 1
            if not self._origins[peer.origin]:
                del self._origins[peer.origin]

    def waits(self, peer: Peer) -> None:
        self._waiting.pop(peer, None)
        self._waiting[peer] = None

    def works(self, peer: Peer) -> None:
        self._waiting.pop(peer, None)

    def refused(self, status: int) -> None:
        self._metrics.dropped("api", "http")
        self._notices.note(self.now_s, "request", str(status))

    def sweep(self, monotonic_s: float) -> None:
        """Closes what has had its time. Called about every `Limits.sweep_s`."""
        passed_s = 0.0 if self._swept_s is None else monotonic_s - self._swept_s
        self._swept_s = monotonic_s
        self.now_s += min(passed_s, 2 * self._limits.sweep_s)
        for peer in list(self._peers):
            reason = peer.overdue(self.now_s, self._limits)
            if reason is None:
                continue
            if reason not in _EXPECTED:
                self._dropped(reason if reason == "stalled" else f"slow_{reason}")
            self._close(peer, reason)

    def free(self) -> None:
        """The process can open no more files: closes some that wait."""
        for _ in range(_FREED):
            if not self._make_room(iter(self._waiting)):
                return

    def end_waiting(self) -> None:
        """Closes those who have no request under way."""
        for peer in list(self._waiting):
            self._close(peer, "displaced")

    def end(self) -> None:
        """Closes all, whatever is under way."""
        for peer in list(self._peers):
            self._close(peer, "displaced")

    def _make_room(self, waiting: Iterator[Peer]) -> bool:
        peer = next(waiting, None)
        if peer is None:
            return False
        self._dropped("displaced")
        self._close(peer, "displaced")
        # Its protocol hears of the end a moment later.
        self.leave(peer)
        return True

    def _of(self, origin: str) -> Iterator[Peer]:
        return (peer for peer in self._waiting if peer.origin == origin)

    def _close(self, peer: Peer, reason: str) -> None:
        peer.deadline_s = None
        if reason in _ABRUPT or peer.protocol is None:
            if peer.transport is not None:
                peer.transport.abort()
        else:
            peer.protocol.give_up(reason)

    def _dropped(self, reason: str, origin: str = "") -> None:
        self._metrics.dropped("api", reason)
        self._notices.note(self.now_s, "connection", reason, origin)
