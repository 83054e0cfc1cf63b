"""Bytes to messages and back: msgpack of the unions in `events`, `kinds` and `broadcasts`.

Undecodable            the source of a dead letter's reason
├── BrokenBytes        not msgpack
├── UnknownVersion     a version that this code does not know
├── UnknownKind        a kind that this code does not know
├── WrongShape         msgpack, but not of the declared types
└── BroadcastFound     neither an observation nor an output, but a broadcast of the engine
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar, Union, cast, get_args

import msgspec

from streams.analytics import Decision
from streams.broadcasts import BROADCASTS, Broadcast
from streams.events import VERSION, Event
from streams.kinds import KINDS
from streams.known import Kinds
from streams.unlimited import Unlimited

D = TypeVar("D", bound=Decision | Broadcast)
M = TypeVar("M", bound=msgspec.Struct)


class Undecodable(ValueError):
    """The bytes are not a message. `reason` is one of a closed set and tags the metric."""

    reason: ClassVar[str] = "undecodable"

    @property
    def what(self) -> str:
        """Identifies the cause: the reason, or the unknown kind."""
        return self.reason


class BrokenBytes(Undecodable):
    reason = "broken_bytes"


class UnknownVersion(Undecodable):
    reason = "unknown_version"


class UnknownKind(Undecodable):
    reason = "unknown_kind"

    def __init__(self, kind: str) -> None:
        super().__init__(f"kind {kind!r}, which this program does not know")
        self.kind = kind

    @property
    def what(self) -> str:
        return f"kind {self.kind}"


class WrongShape(Undecodable):
    reason = "wrong_shape"


class BroadcastFound(Undecodable):
    """Valid, but not for readers of observations or outputs: they skip it."""

    reason = "broadcast"

    def __init__(self, message: Broadcast) -> None:
        super().__init__("a message of the engine for itself")
        self.message = message


class _Tag(msgspec.Struct):
    kind: str = ""


class _Head(_Tag):
    v: int = 0


def _tag(struct: Any) -> str:
    return str(struct.__struct_config__.tag)


_encoder = msgspec.msgpack.Encoder()
_head = msgspec.msgpack.Decoder(_Head)
_tags = msgspec.msgpack.Decoder(_Tag)
_events: msgspec.msgpack.Decoder[Event | Broadcast] = msgspec.msgpack.Decoder(
    cast(Any, Event | Broadcast)
)
_unlimited = Unlimited(get_args(Event))

#: How the encoder begins: the head of a map of up to 15 or of more fields, then the key `kind`.
_KEY = _encoder.encode("kind")
_KEY_AT: Mapping[bytes, int] = {**{bytes([0x80 + n]): 1 for n in range(1, 16)}, b"\xde": 3}


def encode(message: Event | Decision | Broadcast) -> bytes:
    return _encoder.encode(message)


def decode_event(data: bytes) -> Event:
    """A message of telegram.updates, whatever its numbers are.

    Raises Undecodable and BroadcastFound.
    """
    return decode_checked(data)[0]


def decode_checked(data: bytes) -> tuple[Event, bool]:
    """A message of telegram.updates, and whether its counters and ids are within their limits.

    Raises Undecodable and BroadcastFound.
    """
    is_within = True
    try:
        event = _events.decode(data)
    except msgspec.DecodeError:
        is_within = False
        try:
            event = cast(Event, _unlimited.decode(data))
        except msgspec.DecodeError as error:
            raise _explained(data, error, KINDS) from error
    _check_version(event.v)
    return cast(Event, _outward(event)), is_within


def decode_analytics(data: bytes, kinds: Kinds = KINDS) -> Decision:
    """A message of one of `kinds`. Raises Undecodable."""
    return cast(Decision, _outward(_decoded(kinds.decoder, data, kinds)))


def _decoded(decoder: msgspec.msgpack.Decoder[M], data: bytes, kinds: Kinds) -> M:
    try:
        message = decoder.decode(data)
    except msgspec.DecodeError as error:
        raise _explained(data, error, kinds) from error
    _check_version(cast(Any, message).v)
    return message


def _outward(message: Any) -> Any:
    if type(message) in BROADCASTS:
        raise BroadcastFound(message)
    return message


def kind_of(data: bytes) -> str | None:
    """The kind in a message's head, known to this program or not; None without one.

    Nothing else is decoded, so the rest may be broken.
    """
    at = _KEY_AT.get(data[:1])
    if at is not None and data.startswith(_KEY, at):
        at += len(_KEY)
        size = (data[at] if len(data) > at else 0) - 0xA0
        tag = data[at + 1 : at + 1 + size]
        if 0 < size < 32 and len(tag) == size and tag.isascii():
            return tag.decode()
    # Another program may write its fields in another order.
    try:
        return _tags.decode(data).kind or None
    except msgspec.DecodeError:
        return None


class Selection(Generic[D]):
    """Decodes the known kinds that a reader of analytics.* wants, and skips the others.

    Broadcasts may be wanted as well.
    """

    def __init__(self, *wanted: type[D], kinds: Kinds = KINDS) -> None:
        self._wanted = frozenset(wanted)
        self._kinds = kinds
        known = (*(kind.struct for kind in kinds), *BROADCASTS)
        self._others = tuple(
            _KEY + _encoder.encode(_tag(struct)) for struct in known if struct not in self._wanted
        )

    def decode(self, data: bytes) -> D | None:
        """The message; None for a known kind that is not wanted. Raises Undecodable.

        Other kinds are recognised by their first bytes: the rest may be broken.
        """
        at = _KEY_AT.get(data[:1])
        if at is not None and data.startswith(self._others, at):
            return None
        message = _decoded(self._kinds.decoder, data, self._kinds)
        return cast(D, message) if type(message) in self._wanted else None


class Only(Generic[M]):
    """Decodes the wanted kinds of any topic."""

    def __init__(self, *wanted: type[M], kinds: Kinds = KINDS) -> None:
        self._kinds = kinds
        self._tags = frozenset(map(_tag, wanted))
        self._decoder: msgspec.msgpack.Decoder[M] = msgspec.msgpack.Decoder(
            cast(Any, Union[wanted])  # noqa: UP007 (made of a tuple)
        )

    def decode(self, data: bytes) -> M | None:
        """The message; None for one of another kind. Raises Undecodable."""
        try:
            message = self._decoder.decode(data)
        except msgspec.DecodeError as error:
            kind = kind_of(data)
            if kind is not None and kind not in self._tags:
                return None
            raise _explained(data, error, self._kinds) from error
        _check_version(cast(Any, message).v)
        return message


def _check_version(version: int) -> None:
    """Raises UnknownVersion."""
    if version != VERSION:
        raise UnknownVersion(f"version {version}; this program reads {VERSION}")


def _explained(data: bytes, error: msgspec.DecodeError, kinds: Kinds) -> Undecodable:
    """Why `data` failed. Checks the head first: a newer version often fails by its shape."""
    try:
        head = _head.decode(data)
    except msgspec.ValidationError:
        return WrongShape(str(error))
    except msgspec.DecodeError:
        return BrokenBytes(str(error))
    if head.v != VERSION and head.v != 0:
        return UnknownVersion(f"version {head.v}; this program reads {VERSION}")
    if head.kind and head.kind not in kinds.tags:
        return UnknownKind(head.kind)
    return WrongShape(str(error))
