"""The effects of ordinary agents: held until their message may be committed.

An ordinary agent may await anywhere, so a commit may fall between a change of a table and a message
that it sends. If only one of them were committed, with the agent's message unprocessed, a crash
would count twice. So all effects wait for the message and belong to the commit that marks it as
processed.

The engine's bodies never await and send through the context (agents.engine.body): they hold nothing
here.
"""

from collections import defaultdict
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from faust.streams import current_event
from faust.types import TP, Message

from streams.context import Task


class Standing(Enum):
    """The state of a message that an agent works on."""

    #: Delivered, not committed.
    OPEN = auto()
    #: Committed, or being committed; or not a message of the log.
    DONE = auto()
    #: Will be delivered again, here or elsewhere: its partition was reassigned.
    STALE = auto()


class Effect(NamedTuple):
    #: Puts the effect into the next commit.
    do: Callable[[], None]
    #: Called instead of `do` if the message is delivered again, which repeats all effects.
    lose: Callable[[], None]


class Effects:
    """One per app. All calls come from the event loop, and none of them waits."""

    def __init__(self, standing: Callable[[Message], Standing]) -> None:
        self._standing = standing
        self._held: defaultdict[TP, dict[int, list[Effect]]] = defaultdict(dict)

    def add(self, effect: Effect) -> None:
        """Put an effect into the commit of the caller's message; without one, into the next."""
        event = current_event()
        standing = Standing.DONE if event is None else self._standing(event.message)
        if event is None or standing is Standing.DONE:
            effect.do()
        elif standing is Standing.STALE:
            effect.lose()
        else:
            self._held[event.message.tp].setdefault(event.message.offset, []).append(effect)

    def release(self, tp: TP, offset: int) -> None:
        """Release the effects of the messages before `offset`, which are about to be committed."""
        held = self._held.get(tp)
        if held:
            for at in sorted(each for each in held if each < offset):
                _do(held.pop(at))

    def release_current(self) -> None:
        """Put the caller's effects into the next commit, before its message.

        For a body that waits until a message it sent is durable: it would wait for itself.
        """
        event = current_event()
        if event is not None and self._standing(event.message) is Standing.OPEN:
            _do(self._held[event.message.tp].pop(event.message.offset, []))

    def forget(self) -> None:
        """Lose what is held: all open messages will be delivered again."""
        held, self._held = self._held, defaultdict(dict)
        for of_partition in held.values():
            for effects in of_partition.values():
                for effect in effects:
                    effect.lose()


def task_at_work() -> Task | None:
    """The task of the caller's message; None outside of any message."""
    event = current_event()
    return None if event is None else event.message.partition


def _do(effects: list[Effect]) -> None:
    for effect in effects:
        effect.do()
