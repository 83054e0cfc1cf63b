"""Rate limits per account and method, and the flood waits of accounts that exceed them.

As at Telegram, a call during a wait makes the wait longer.
"""

import math
from collections import deque
from dataclasses import dataclass, field

from loopback.methods.table import NAMES
from loopback.mtproto.errors import RpcFailure
from streams.clock import Clock


@dataclass
class _Limit:
    calls: int
    per_ms: int
    growth: float


@dataclass
class _Use:
    """One account's use of one method."""

    at_ms: deque[int] = field(default_factory=deque)
    until_ms: int = 0
    #: Calls during waits, since the account last observed a whole wait.
    strikes: int = 0


class Limits:
    """No method has a limit at first. All times are by `clock`, the world's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits: dict[str, _Limit] = {}
        self._uses: dict[tuple[str, int | None], _Use] = {}

    def put(self, method: str, *, calls: int, per_s: int, growth: float = 2.0) -> None:
        """Limits each account to `calls` of `method` in any `per_s` seconds; replaces its limit.

        Each call during a wait begins a new wait, `growth` times as long as the last.
        Raises ValueError for an unknown method.
        """
        if method not in NAMES:
            raise ValueError(f"no method {method!r}")
        self._limits[method] = _Limit(calls, per_s * 1000, growth)

    def meet(self, method: str, user_id: int | None) -> None:
        """Counts a call. Raises RpcFailure (FLOOD_WAIT) if it exceeds the limit."""
        if (limit := self._limits.get(method)) is None:
            return
        use = self._uses.setdefault((method, user_id), _Use())
        now_ms = self._clock.now_ms()
        if now_ms < use.until_ms:
            use.strikes += 1
            self._refuse(use, now_ms, limit.per_ms * limit.growth**use.strikes)
        use.strikes = 0
        while use.at_ms and use.at_ms[0] <= now_ms - limit.per_ms:
            use.at_ms.popleft()
        if len(use.at_ms) >= limit.calls:
            self._refuse(use, now_ms, use.at_ms[0] + limit.per_ms - now_ms)
        use.at_ms.append(now_ms)

    def _refuse(self, use: _Use, now_ms: int, wait_ms: float) -> None:
        wait_s = math.ceil(wait_ms / 1000)
        use.until_ms = now_ms + wait_s * 1000
        raise RpcFailure(420, f"FLOOD_WAIT_{wait_s}")
