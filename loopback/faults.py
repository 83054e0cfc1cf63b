"""What goes wrong on demand: with single calls, and with pushes.

Faults of the whole server (away, dropped connections, salts, clock) are calls of
loopback.telegram.LoopbackTelegram.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from loopback.methods.table import NAMES
from loopback.mtproto.errors import Cut, RpcFailure

#: For `times`: until further notice.
ALWAYS: Final = 1 << 60


@dataclass
class _Planned:
    effect: Exception | float
    method: str | None
    user_id: int | None
    skip: int
    left: int

    def concerns(self, method: str, user_id: int | None) -> bool:
        """Counts the call, if it is one of those meant."""
        if self.method not in (None, method) or self.user_id not in (None, user_id):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.left -= 1
        return True


class Faults:
    """Each fault meets the `nth` call (from 1) of those meant, and the `times` - 1 after it.

    `method` is a name like ``messages.getHistory``; None means every method, and `user_id` None
    every account. An unknown name raises ValueError.
    """

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._deaf_channels: list[int | None] = []
        #: With this, an authorisation key used by two sessions at once is dead: both get
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
        """The connection is cut before the answer; the call has no effect."""
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
        """The answer is sent this much later (of the wall clock); other calls do not wait."""
        self._plan(seconds, method, user_id, nth, times)

    def clear(self) -> None:
        """What is planned does not happen any more."""
        self._planned.clear()

    @contextmanager
    def lost_pushes(self, channel_id: int | None = None) -> Iterator[None]:
        """What happens in the channel (None: in any) in this context is not pushed: a gap."""
        self._deaf_channels.append(channel_id)
        try:
            yield
        finally:
            self._deaf_channels.remove(channel_id)

    def is_push_lost(self, channel_id: int) -> bool:
        return any(deaf in (None, channel_id) for deaf in self._deaf_channels)

    def meet(self, method: str, user_id: int | None) -> float:
        """Called once a call. Returns its delay in seconds; raises RpcFailure or Cut."""
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
