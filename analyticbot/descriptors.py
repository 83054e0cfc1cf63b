"""How many files and connections this process may have open at the same time.

The soft limit of a shell is often 1024, far below what the machine allows; it is raised at start.
The server gets what the others leave: the log, history and Telegram need descriptors as well, and
without them they stop.
"""

import resource
from contextlib import suppress
from typing import Final

#: More than anything here needs; some systems name no hard limit, and refuse an endless soft one.
_AT_MOST: Final = (65_536, 10_240)
#: For everything but the server's connections, where there are so many. An installation with ten
#: channels has 120 open, one that merges much in history some hundred more.
RESERVED: Final = 512


def raise_descriptors() -> int:
    """Raises the soft limit as far as the hard one allows; how many may be open from now on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in _AT_MOST:
        reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or soft >= reachable:
            break
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
            break
    return descriptors()


def descriptors() -> int:
    """How many may be open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _AT_MOST[0] if soft == resource.RLIM_INFINITY else soft


def connections(wanted: int, limit: int) -> int:
    """How many of `limit` descriptors the server's connections may take, of those `wanted`."""
    return max(1, min(wanted, max(limit - RESERVED, limit // 4)))
