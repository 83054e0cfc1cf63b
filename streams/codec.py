"""Bytes to messages and back: msgpack of the tagged unions in `events` and `analytics`.

Undecodable            what a dead letter's reason is made of
├── BrokenBytes        not msgpack at all
├── UnknownVersion     a version, or a kind, that this code does not know
└── WrongShape         msgpack, but not of the declared types
"""

from typing import Any, ClassVar, cast

import msgspec

from streams.analytics import Analytics
from streams.events import VERSION, Event


class Undecodable(ValueError):
    """The bytes are no message. `reason` is one of a closed set and tags the metric."""

    reason: ClassVar[str] = "undecodable"


class BrokenBytes(Undecodable):
    reason = "broken_bytes"


class UnknownVersion(Undecodable):
    reason = "unknown_version"


class WrongShape(Undecodable):
    reason = "wrong_shape"


class _Head(msgspec.Struct):
    v: int = 0
    kind: str = ""


_encoder = msgspec.msgpack.Encoder()
_head = msgspec.msgpack.Decoder(_Head)
_events: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(cast(Any, Event))
_analytics: msgspec.msgpack.Decoder[Analytics] = msgspec.msgpack.Decoder(cast(Any, Analytics))


def encode(message: Event | Analytics) -> bytes:
    return _encoder.encode(message)


def decode_event(data: bytes) -> Event:
    """A message of telegram.updates. Raises Undecodable."""
    try:
        event = _events.decode(data)
    except msgspec.DecodeError as error:
        raise _explained(data, error) from error
    if event.v != VERSION:
        raise UnknownVersion(f"version {event.v}; this program reads {VERSION}")
    return event


def decode_analytics(data: bytes) -> Analytics:
    """A message of one of the topics analytics.*. Raises Undecodable."""
    try:
        decision = _analytics.decode(data)
    except msgspec.DecodeError as error:
        raise _explained(data, error) from error
    if decision.v != VERSION:
        raise UnknownVersion(f"version {decision.v}; this program reads {VERSION}")
    return decision


def _explained(data: bytes, error: msgspec.DecodeError) -> Undecodable:
    """Why `data` failed: a newer version often fails by its shape, so its head is asked first."""
    try:
        head = _head.decode(data)
    except msgspec.ValidationError:
        return WrongShape(str(error))
    except msgspec.DecodeError:
        return BrokenBytes(str(error))
    if head.v != VERSION and head.v != 0:
        return UnknownVersion(f"version {head.v}; this program reads {VERSION}")
    return WrongShape(str(error))
