"""Rows of state as bytes and back: msgpack arrays whose first element is a version.

UnknownRow    stored by another version of this program: state has to be rebuilt from the log
"""

from typing import Generic, TypeVar

import msgspec

#: The version of every row's layout. A field that is added at the end of a row, or of a struct in
#: it, and has a default is no new one: what was stored before is read with the default.
VERSION = 2


class UnknownRow(Exception):
    """A row that this program cannot read."""


class Row(msgspec.Struct, array_like=True, gc=False):
    """What every row says: its layout, and the last message folded into it.

    A message at or below `last_offset` is in the row already. A row is fed by one partition only.
    """

    version: int = VERSION
    last_offset: int = -1


R = TypeVar("R", bound=Row)

_encoder = msgspec.msgpack.Encoder()


def encode_row(row: Row) -> bytes:
    return _encoder.encode(row)


class RowDecoder(Generic[R]):
    """Reads the rows of one table. Raises UnknownRow."""

    def __init__(self, row: type[R]) -> None:
        self._decoder = msgspec.msgpack.Decoder(row)

    def __call__(self, data: bytes) -> R:
        try:
            row = self._decoder.decode(data)
        except msgspec.DecodeError as error:
            raise UnknownRow(f"a stored row cannot be read: {error}") from error
        if row.version != VERSION:
            raise UnknownRow(f"a stored row has layout {row.version}; this program reads {VERSION}")
        return row
