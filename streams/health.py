"""The result of a readiness check."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple


class Finding(NamedTuple):
    ready: bool
    #: What the part does, or why it cannot, in a few words.
    says: str


#: Called for every /readyz; may wait, must not raise.
Check = Callable[[], Awaitable[Finding]]
READY = Finding(True, "ok")


def not_ready(reason: object) -> Finding:
    return Finding(False, str(reason))
