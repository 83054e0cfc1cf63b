"""The kinds of message that a process knows: one value, passed to all readers of messages."""

from collections.abc import Iterator, Mapping
from typing import Any, Union, cast, get_args

import msgspec

from streams.analytics import Decision
from streams.broadcasts import BROADCASTS, Broadcast
from streams.events import Event
from streams.kind import Kind
from streams.topics import Topic


class Kinds:
    """Kinds of message, in a fixed order. Immutable: `and_` returns a new value.

    `streams.kinds.KINDS` are those of the program itself; a process adds what decisions declare.
    """

    def __init__(self, *kinds: Kind[Any]) -> None:
        """Raises TypeError when two of them share a struct, a tag or the type of an event."""
        events = [str(event.__struct_config__.tag) for event in (*get_args(Event), *BROADCASTS)]
        for name, taken in (("struct", []), ("tag", events), ("event_type", [])):
            values = [*taken, *(getattr(kind, name) for kind in kinds)]
            if doubled := [value for value in values if values.count(value) > 1]:
                shown = doubled[0].__name__ if isinstance(doubled[0], type) else doubled[0]
                raise TypeError(f"{name} {shown} is declared twice")
        self._kinds = kinds
        self.of: Mapping[type[Decision], Kind[Any]] = {kind.struct: kind for kind in kinds}
        #: The topics that carry them, in the order in which messages flow from one to the next.
        self.topics: tuple[Topic, ...] = tuple(dict.fromkeys(kind.topic for kind in kinds))
        self.topic_names = tuple(topic.name for topic in self.topics)
        #: Every tag that this process knows, including those of observations and broadcasts.
        self.tags = frozenset((*events, *(kind.tag for kind in kinds)))
        #: Of the bytes of a message, or of a broadcast; streams.codec explains its errors.
        self.decoder: msgspec.msgpack.Decoder[Decision | Broadcast] = msgspec.msgpack.Decoder(
            cast(Any, Union[(*self.of, *BROADCASTS)])
        )

    def __iter__(self) -> Iterator[Kind[Any]]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def __contains__(self, kind: object) -> bool:
        return kind in self._kinds

    def and_(self, *more: Kind[Any]) -> "Kinds":
        """These and more. Raises TypeError when two of them share what is one kind's."""
        return Kinds(*self._kinds, *more) if more else self

    def upsert_key(self, message: Decision) -> str:
        """What a later message must share with an earlier one to replace it.

        Raises KeyError for a message of a kind that is none of these.
        """
        return self.of[type(message)].upsert_key(message)
