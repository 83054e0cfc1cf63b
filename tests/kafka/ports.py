"""Free ports for nodes that are stopped and started at the same ports."""

import random
import socket
from collections.abc import Sequence
from contextlib import ExitStack

# Below those from which the system gives ports to outgoing connections: a client that tries to
# reach a stopped broker must not come to sit on the broker's port, or be connected to itself.
_RANGE = range(20_000, 32_000)


def free_ports(count: int) -> Sequence[int]:
    """Different ones, free when it returns."""
    found: list[int] = []
    with ExitStack() as held:
        for port in random.SystemRandom().sample(_RANGE, len(_RANGE)):
            if len(found) == count:
                break
            listener = held.enter_context(socket.socket())
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found
