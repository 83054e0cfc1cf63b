"""Event time beside Kafka's own timestamp, in a header.

Brokers apply retention by timestamp; with event times a recording of last year would be removed on
arrival. So timestamps are times of appending, as in the embedded log, and the event time is in a
header that users of the log do not see.
"""

import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType

#: Settings of every topic.
TIMESTAMP = {"message.timestamp.type": "LogAppendTime"}
_HEADER = "event_ms"
_CODE = struct.Struct(">q")
_NONE: Mapping[str, bytes] = MappingProxyType({})


def stamped(headers: Mapping[str, bytes], event_ms: int) -> list[tuple[str, bytes]]:
    """The headers of a message to be appended."""
    return [*headers.items(), (_HEADER, _CODE.pack(event_ms))]


def unstamped(
    headers: Sequence[tuple[str, bytes]], appended_ms: int
) -> tuple[Mapping[str, bytes], int]:
    """Headers and event time of a stored message; who wrote it without one, appended it then."""
    if not headers:
        return _NONE, appended_ms
    found = dict(headers)
    packed = found.pop(_HEADER, b"")
    [event_ms] = _CODE.unpack(packed) if len(packed) == _CODE.size else [appended_ms]
    return found, event_ms
