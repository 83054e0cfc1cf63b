"""What one client, and all of them together, may take of the server."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    #: Open connections: in total, and from one address. Addresses of this machine and of trusted
    #: proxies, which stand for many clients, have no share of their own.
    connections: int = 4_096
    per_address: int = 1_024
    #: From the connection, or the first byte of a further request, to the end of the head.
    head_s: float = 10.0
    #: How long a connection may stay open between two requests.
    idle_s: float = 5.0
    #: Bytes of a head, and of one line of it; header lines.
    head_bytes: int = 16_384
    line_bytes: int = 8_190
    headers: int = 100
    #: From the end of the head to the end of the body, and the bytes of a body.
    body_s: float = 20.0
    body_bytes: int = 1_048_576
    #: A client that is being sent something takes at least `taken_bytes` of it in this time.
    stall_s: float = 10.0
    taken_bytes: int = 10_000
    #: How long a refused client gets to read why.
    linger_s: float = 2.0

    @property
    def sweep_s(self) -> float:
        """How often it is looked whether somebody has had his time."""
        shortest_s = min(self.head_s, self.idle_s, self.body_s, self.stall_s, self.linger_s)
        return min(1.0, shortest_s / 2)
