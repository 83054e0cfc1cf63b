"""Decodes messages without the limits that their types declare.

msgspec checks limits as it decodes, for next to nothing, and refuses the whole message where one
number is beyond them. Such a message is decoded here into structs of the same fields without
limits, and made into what it is from those. Rare, and slow.
"""

from collections.abc import Sequence
from types import GenericAlias
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

Structs = Sequence[type[msgspec.Struct]]


class Unlimited:
    """Of a tagged union. Structs in it may hold others, themselves or in lists."""

    def __init__(self, structs: Structs) -> None:
        self._originals: dict[type, type[msgspec.Struct]] = {}
        twins = tuple(self._twin(struct) for struct in structs)
        self._decoder = msgspec.msgpack.Decoder(Union[twins])  # noqa: UP007 (made of a tuple)

    def decode(self, data: bytes) -> Any:
        """An instance of one of the structs. Raises msgspec.DecodeError."""
        return self._original(self._decoder.decode(data))

    def _twin(self, struct: type[msgspec.Struct]) -> type[msgspec.Struct]:
        # Hints are without annotations, which is what limits are.
        hints = get_type_hints(struct)
        fields: list[Any] = [
            (field.name, self._type(hints[field.name]))
            if field.required
            else (field.name, self._type(hints[field.name]), field.default)
            for field in msgspec.structs.fields(struct)
        ]
        config = struct.__struct_config__
        twin = msgspec.defstruct(
            struct.__name__, fields, tag=config.tag, tag_field=config.tag_field, kw_only=True
        )
        self._originals[twin] = struct
        return twin

    def _type(self, hint: Any) -> Any:
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            return self._twin(hint)
        if get_origin(hint) is list:
            return GenericAlias(list, self._type(get_args(hint)[0]))
        return hint

    def _original(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._original(each) for each in value]
        struct = self._originals.get(type(value))
        if struct is None:
            return value
        fields = {name: self._original(getattr(value, name)) for name in value.__struct_fields__}
        return struct(**fields)
