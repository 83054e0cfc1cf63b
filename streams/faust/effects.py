"""What ordinary agents send and set: kept until the message that they work on may be committed.

An ordinary agent awaits where it likes, so a commit may come between what it sets and what it
sends. Were the one committed and not the other, with the message itself still to do, a crash would
count twice. So both wait for the message: they are in the commit that says it is processed.

The bodies of the engine never await and send through the context (agents.engine.body): nothing of
theirs is here.
"""

from collections import defaultdict
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from faust.streams import current_event
from faust.types import TP, Message

from streams.context import Task


class Standing(Enum):
    """What is known of a message that somebody works on."""

    #: It was delivered and is not committed.
    OPEN = auto()
    #: It is committed, or about to be; or it is none of the log.
    DONE = auto()
    #: It will be delivered again, here or elsewhere: its partitions were assigned anew.
    STALE = auto()


class Effect(NamedTuple):
    #: Puts it into the next commit.
    do: Callable[[], None]
    #: Called instead of `do` when the message is delivered again, and makes everything again.
    lose: Callable[[], None]


class Effects:
    """One per app. All calls come from the event loop, and none of them waits."""

    def __init__(self, standing: Callable[[Message], Standing]) -> None:
        self._standing = standing
        self._held: defaultdict[TP, dict[int, list[Effect]]] = defaultdict(dict)

    def add(self, effect: Effect) -> None:
        """Into the commit of the message that the caller works on; of none, into the next."""
        event = current_event()
        standing = Standing.DONE if event is None else self._standing(event.message)
        if event is None or standing is Standing.DONE:
            effect.do()
        elif standing is Standing.STALE:
            effect.lose()
        else:
            self._held[event.message.tp].setdefault(event.message.offset, []).append(effect)

    def release(self, tp: TP, offset: int) -> None:
        """The messages before `offset` are about to be committed, and with them what they made."""
        held = self._held.get(tp)
        if held:
            for at in sorted(each for each in held if each < offset):
                _do(held.pop(at))

    def release_current(self) -> None:
        """Into the next commit, without the message that the caller works on.

        For a body that waits until what it has sent is durable: it would wait for itself.
        """
        event = current_event()
        if event is not None and self._standing(event.message) is Standing.OPEN:
            _do(self._held[event.message.tp].pop(event.message.offset, []))

    def forget(self) -> None:
        """All messages that are open become stale."""
        held, self._held = self._held, defaultdict(dict)
        for of_partition in held.values():
            for effects in of_partition.values():
                for effect in effects:
                    effect.lose()


def task_at_work() -> Task | None:
    """Of the message that the caller works on; None for who works on none."""
    event = current_event()
    return None if event is None else event.message.partition


def _do(effects: list[Effect]) -> None:
    for effect in effects:
        effect.do()
