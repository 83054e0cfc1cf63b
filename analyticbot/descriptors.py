"""The limit of files and connections that this process may have open at the same time.

The soft limit of a shell is often 1024, far below the limit of the machine; it is raised at start.
The server's connections get the descriptors that the others leave: the log, history and Telegram
stop without descriptors.
"""

import resource
from contextlib import suppress
from typing import Final

#: More than this process needs; some systems have no hard limit and refuse an infinite soft one.
_AT_MOST: Final = (65_536, 10_240)
#: Descriptors for everything but the server's connections. An installation with ten channels has
#: 120 open; large merges in history need some hundred more.
RESERVED: Final = 512


def raise_descriptors() -> int:
    """Raises the soft limit as far as the hard one allows; returns the new limit."""
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
    """The number of descriptors that may be open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _AT_MOST[0] if soft == resource.RLIM_INFINITY else soft


def connections(wanted: int, limit: int) -> int:
    """How many of the `wanted` connections the server may accept, with `limit` descriptors."""
    return max(1, min(wanted, max(limit - RESERVED, limit // 4)))
