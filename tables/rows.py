"""Rows of state as bytes and back: msgpack arrays whose first element is the layout's version.

UnknownRow    stored with a layout that this program can neither read nor upgrade
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

#: The values of a stored row, in the order of its fields.
Values = list[Any]
#: Makes the values of one layout those of a later one, whose version is their first element.
Upgrade = Callable[[Values], Values]


#: Below every offset: of what was read from a log, and of what history recalls from before it.
NEVER = -(1 << 62)


class UnknownRow(Exception):
    """A row that this program cannot read."""


class Row(msgspec.Struct, array_like=True, gc=False):
    """What every row says: its layout, and the last message folded into it.

    A message at or below `last_offset` is in the row already. A row is fed by one partition only.

    A field that is added at the end of a row, or of a struct in it, and has a default is no new
    layout: what was stored before is read with the default. Any other change is one: the row then
    declares `version` again, with the next number as its default, and an upgrade in UPGRADES. Rows
    are upgraded when they are read, and stored with the new layout when they are next written.
    """

    #: By the version that they start from.
    UPGRADES: ClassVar[Mapping[int, Upgrade]] = {}

    version: int = 2
    last_offset: int = NEVER


class JoinedRow(Row):
    """A row that messages of several topics are folded into.

    Offsets of different topics say nothing of each other. While a message is folded, `last_offset`
    is that of its topic.
    """

    #: By the name of the topic; of the one that was folded last, `last_offset` is as new.
    folded: dict[str, int] = {}

    def turn_to(self, topic: str) -> None:
        """Have `last_offset` be that of `topic`, before a message of it is folded."""
        self.last_offset = self.folded.get(topic, NEVER)

    def note(self, topic: str) -> None:
        """Remember `last_offset` as that of `topic`, after a message of it was folded."""
        self.folded[topic] = self.last_offset


R = TypeVar("R", bound=Row)

_encoder = msgspec.msgpack.Encoder()


def encode_row(row: Row) -> bytes:
    return _encoder.encode(row)


def layout_of(row: type[Row]) -> int:
    """The version with which rows of a table are written."""
    version, *_ = msgspec.structs.fields(row)
    return int(version.default)


class RowDecoder(Generic[R]):
    """Reads the rows of one table, in the present layout or an earlier one."""

    def __init__(self, row: type[R]) -> None:
        self._row = row
        self._layout = layout_of(row)
        self._decoder = msgspec.msgpack.Decoder(row)

    def __call__(self, data: bytes) -> R:
        """Raises UnknownRow."""
        try:
            row = self._decoder.decode(data)
        except msgspec.DecodeError as error:
            # What is not of the present layout may well be of an earlier one.
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
    """None for bytes that are no row of any layout."""
    try:
        values = msgspec.msgpack.decode(data)
    except msgspec.DecodeError:
        return None
    is_row = isinstance(values, list) and values and isinstance(values[0], int)
    return values if is_row else None
