"""What a step is given beside its row and its message: all else that it may depend on."""

from collections.abc import Mapping
from typing import Any

from agents.engine.setting import Setting, T


class StepContext:
    """Valid within one call of a step. The engine makes it; tests may as well.

    A step that depends on nothing but its row, its message and this is decided by the log alone.
    """

    __slots__ = ("_after_ms", "_moves", "key", "offset", "values")

    def __init__(
        self, offset: int = -1, values: Mapping[str, Any] | None = None, key: bytes = b""
    ) -> None:
        """Without `values` every setting is at its default."""
        #: Of the row: the channel's, or one of those that the decision's key named.
        self.key = key
        #: Of the message in its partition.
        self.offset = offset
        #: Of the decision's settings, by name, for the channel of the message.
        self.values = values
        self._moves: dict[str, int | None] = {}
        self._after_ms: int | None = None

    def setting(self, which: Setting[T]) -> T:
        """What operators set for the message's channel, for all channels, or the default.

        Raises ValueError for one that the decision does not declare.
        """
        if self.values is None:
            return which.default
        try:
            value: T = self.values[which.name]
        except KeyError:
            raise ValueError(f"{which.name} is not among the decision's settings") from None
        return value

    def set_timer(self, due_ms: int, name: str = "") -> None:
        """Have the decision's `on_time` called for this key at `due_ms` of event time.

        It replaces the key's timer of that name. Raises ValueError in `on_time` unless it is later
        than the timer that fires: else it would fire for ever.
        """
        if self._after_ms is not None and due_ms <= self._after_ms:
            raise ValueError(f"a timer of {self._after_ms} ms sets one that is not later")
        self._moves[name] = due_ms

    def cancel_timer(self, name: str = "") -> None:
        """The key has no timer of that name from now on."""
        self._moves[name] = None

    def begin(self, offset: int, after_ms: int | None = None) -> None:
        """Called by the engine before each step; `after_ms` of the timer that fires."""
        self.offset = offset
        self._after_ms = after_ms
        if self._moves:
            self._moves = {}

    @property
    def moves(self) -> Mapping[str, int | None]:
        """The timers that were set, and None for those that were cancelled, by name."""
        return self._moves
