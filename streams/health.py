"""How one part of a process is: what it reports when asked whether it is ready."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple


class Finding(NamedTuple):
    ready: bool
    #: What the part does, or why it cannot: a few words.
    says: str


#: Asked with every /readyz; may wait, raises nothing.
Check = Callable[[], Awaitable[Finding]]
READY = Finding(True, "ok")


def not_ready(reason: object) -> Finding:
    return Finding(False, str(reason))
