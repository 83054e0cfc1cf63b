"""Faults of single calls and of pushes, on demand.

Faults of the whole server (away, dropped connections, salts, clock) are methods of
loopback.telegram.LoopbackTelegram.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from loopback.methods.table import NAMES
from loopback.mtproto.errors import Cut, RpcFailure

#: For `times`: until `clear`.
ALWAYS: Final = 1 << 60


@dataclass
class _Planned:
    effect: Exception | float
    method: str | None
    user_id: int | None
    skip: int
    left: int

    def concerns(self, method: str, user_id: int | None) -> bool:
        """Whether the fault applies to this call; counts matching calls."""
        if self.method not in (None, method) or self.user_id not in (None, user_id):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.left -= 1
        return True


class Faults:
    """Each fault applies to the `nth` matching call (from 1) and the `times` - 1 after it.

    `method` is a name such as ``messages.getHistory``; None matches every method, and `user_id`
    None every account. An unknown name raises ValueError.
    """

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._deaf_channels: list[int | None] = []
        #: If True, two simultaneous sessions of an authorisation key end it: both get
        #: AUTH_KEY_DUPLICATED from then on.
        self.one_session_per_key = False

    def flood_wait(
        self,
        seconds: int,
        method: str | None = None,
        *,
        user_id: int | None = None,
        nth: int = 1,
        times: int = 1,
    ) -> None:
        failure = RpcFailure(420, f"FLOOD_WAIT_{seconds}")
        self._plan(failure, method, user_id, nth, times)

    def rpc_error(
        self,
        code: int,
        message: str,
        method: str | None = None,
        *,
        user_id: int | None = None,
        nth: int = 1,
        times: int = 1,
    ) -> None:
        self._plan(RpcFailure(code, message), method, user_id, nth, times)

    def cut(
        self,
        method: str | None = None,
        *,
        user_id: int | None = None,
        nth: int = 1,
        times: int = 1,
    ) -> None:
        """Cuts the connection before the answer; the call has no effect."""
        self._plan(Cut(), method, user_id, nth, times)

    def delay(
        self,
        seconds: float,
        method: str | None = None,
        *,
        user_id: int | None = None,
        nth: int = 1,
        times: int = 1,
    ) -> None:
        """Delays the answer by so many seconds of wall time; other calls do not wait."""
        self._plan(seconds, method, user_id, nth, times)

    def clear(self) -> None:
        """Removes all planned faults of calls."""
        self._planned.clear()

    @contextmanager
    def lost_pushes(self, channel_id: int | None = None) -> Iterator[None]:
        """Suppresses pushes of the channel (None: of all) within the block, which leaves a gap."""
        self._deaf_channels.append(channel_id)
        try:
            yield
        finally:
            self._deaf_channels.remove(channel_id)

    def is_push_lost(self, channel_id: int) -> bool:
        return any(deaf in (None, channel_id) for deaf in self._deaf_channels)

    def meet(self, method: str, user_id: int | None) -> float:
        """Called once per call. Returns its delay in seconds. Raises RpcFailure or Cut."""
        for planned in self._planned:
            if planned.concerns(method, user_id):
                if not planned.left:
                    self._planned.remove(planned)
                if isinstance(planned.effect, Exception):
                    raise planned.effect
                return planned.effect
        return 0.0

    def _plan(
        self,
        effect: Exception | float,
        method: str | None,
        user_id: int | None,
        nth: int,
        times: int,
    ) -> None:
        if method is not None and method not in NAMES:
            raise ValueError(f"no method {method!r}")
        self._planned.append(_Planned(effect, method, user_id, nth - 1, times))
