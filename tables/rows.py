"""Encodes and decodes rows of state: msgpack arrays whose first element is the layout's version.

UnknownRow    stored with a layout that this program can neither read nor upgrade
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

#: The values of a stored row, in the order of its fields.
Values = list[Any]
#: Converts the values of one layout to a later one, whose version is the first value.
Upgrade = Callable[[Values], Values]


#: Below every offset, both of records in a log and of earlier ones recalled from history.
NEVER = -(1 << 62)


class UnknownRow(Exception):
    """A row that this program cannot read."""


class Row(msgspec.Struct, array_like=True, gc=False):
    """The base of every row: its layout, and the offset of the last message folded into it.

    The row already contains every message at or below `last_offset`. All its messages come from one
    partition.

    A new field with a default, at the end of a row or of a struct in it, does not change the
    layout: rows stored earlier are read with the default. Any other change does: the row then
    redeclares `version`, with the next number as its default, and an upgrade in UPGRADES. Rows are
    upgraded when they are read, and stored with the new layout when they are next written.
    """

    #: By the version that they upgrade from.
    UPGRADES: ClassVar[Mapping[int, Upgrade]] = {}

    version: int = 2
    last_offset: int = NEVER


class JoinedRow(Row):
    """A row into which messages of several topics are folded.

    Offsets of different topics are unrelated. While a message is folded, `last_offset` is the
    offset of its topic.
    """

    #: The last folded offset, by topic; `last_offset` is newer for the topic being folded.
    folded: dict[str, int] = {}

    def turn_to(self, topic: str) -> None:
        """Set `last_offset` to that of `topic`. Called before a message of `topic` is folded."""
        self.last_offset = self.folded.get(topic, NEVER)

    def note(self, topic: str) -> None:
        """Store `last_offset` as that of `topic`. Called after a message of `topic` is folded."""
        self.folded[topic] = self.last_offset


R = TypeVar("R", bound=Row)

_encoder = msgspec.msgpack.Encoder()


def encode_row(row: Row) -> bytes:
    return _encoder.encode(row)


def layout_of(row: type[Row]) -> int:
    """The layout version with which rows of a table are written."""
    version, *_ = msgspec.structs.fields(row)
    return int(version.default)


class RowDecoder(Generic[R]):
    """Decodes the rows of one table, in the present layout or an earlier one."""

    def __init__(self, row: type[R]) -> None:
        self._row = row
        self._layout = layout_of(row)
        self._decoder = msgspec.msgpack.Decoder(row)

    def __call__(self, data: bytes) -> R:
        """Decode and upgrade a row. Raises UnknownRow."""
        try:
            row = self._decoder.decode(data)
        except msgspec.DecodeError as error:
            # The bytes may be a row of an earlier layout.
            values = _values(data)
            if values is None or values[0] == self._layout:
                raise UnknownRow(f"a stored row cannot be read: {error}") from error
            return self._upgraded(values)
        if row.version == self._layout:
            return row
        return self._upgraded(msgspec.msgpack.decode(data))

    def _upgraded(self, values: Values) -> R:
        stored = version = values[0]
        while version != self._layout:
            upgrade = self._row.UPGRADES.get(version)
            if upgrade is None:
                reads = f"this program reads {self._layout}"
                raise UnknownRow(f"a stored row has layout {stored}; {reads}")
            values = upgrade(values)
            if values[0] <= version:
                raise ValueError(f"the upgrade from layout {version} does not lead to a later one")
            version = values[0]
        try:
            return msgspec.convert(values, self._row)
        except msgspec.ValidationError as error:
            raise UnknownRow(
                f"a stored row of layout {stored} cannot be upgraded: {error}"
            ) from error


def _values(data: bytes) -> Values | None:
    """The values of a row of any layout; None if the bytes are not a row."""
    try:
        values = msgspec.msgpack.decode(data)
    except msgspec.DecodeError:
        return None
    is_row = isinstance(values, list) and values and isinstance(values[0], int)
    return values if is_row else None
