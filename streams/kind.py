"""The declaration of a kind of message; `streams.kinds` has the declarations.

Nothing has a default: each kind declares how every reader of analytics.* treats it, or why it does
not.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Generic, Literal, TypeVar

import msgspec

from streams.analytics import Decision
from streams.topics import Topic

M = TypeVar("M", bound=Decision)


class Inserted(Enum):
    """Columns of a row that describe its insertion, not its message."""

    #: The number of the batch that it was inserted with.
    BATCH = "batch"


class Kept(msgspec.Struct, Generic[M], frozen=True):
    """History keeps the newest message of each upsert key, as a row."""

    table: str
    #: What stands in each column of the table: a field of the message, or what a function makes
    #: of the message.
    columns: Mapping[str, str | Callable[[M], object] | Inserted]
    #: Of two messages with one key the higher version is the newer.
    version: Callable[[M], int]


class KeptWhole(msgspec.Struct, Generic[M], frozen=True):
    """History keeps the newest message of each upsert key whole, as JSON in the table `messages`.

    It needs no migration. Frequent queries, or queries of many rows, deserve a table: see Kept.
    """

    #: Of two messages with one key the higher version is the newer.
    version: Callable[[M], int]


class NotKept(msgspec.Struct, frozen=True):
    """History does not keep the messages."""

    reason: str


#: How the live socket shows the messages of a kind; `api.live_view` says how many it holds.
#:
#: channel   the newest message of each channel
#: minutes   windows of one minute: those of each channel that start last
#: posts     counters of posts, as columns: those of the newest posts of each channel
#: last      the messages, by upsert key, that came last, of all channels together
Shown = Literal["channel", "minutes", "posts", "last"]


class NotShown(msgspec.Struct, frozen=True):
    """The live socket does not show the messages."""

    reason: str


class Kind(msgspec.Struct, Generic[M], frozen=True, kw_only=True):
    """One kind of message. Raises TypeError when a column names a field that it does not have."""

    #: Its tag and its fields are the schema.
    struct: type[M]
    topic: Topic
    #: What a later message must share with an earlier one to replace it. No other kind has it.
    upsert_key: Callable[[M], str]
    #: The `type` of its CloudEvents.
    event_type: str
    history: Kept[M] | KeptWhole[M] | NotKept
    live: Shown | NotShown

    @property
    def tag(self) -> str:
        """What `kind` says in the encoded message."""
        return str(self.struct.__struct_config__.tag)

    def __post_init__(self) -> None:
        if isinstance(self.history, Kept):
            named = {field for field in self.history.columns.values() if isinstance(field, str)}
            if unknown := named - {*self.struct.__struct_fields__}:
                raise TypeError(f"{self.struct.__name__} has no field {min(unknown)}")
