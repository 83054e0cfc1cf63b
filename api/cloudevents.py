"""Messages of analytics.* as CloudEvents 1.0 in JSON: the one envelope of every tap."""

from collections.abc import Mapping
from typing import Any

import msgspec

from api.times import iso
from streams.analytics import Decision
from streams.kinds import KINDS
from streams.known import Kinds
from streams.log import Partition, Record

SOURCE = "urn:analyticbot"


def types_of(kinds: Kinds) -> Mapping[type[Decision], str]:
    """The type of each kind of message; what a tap's `types` may name."""
    return {kind.struct: kind.event_type for kind in kinds}


#: Those of the program's own kinds.
TYPES = types_of(KINDS)


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    specversion: str = "1.0"
    #: Topic, partition and offset: the same event always has the same id.
    id: str
    source: str = SOURCE
    type: str
    #: What a later event must share with this one to replace it.
    subject: str
    #: Event time: the newest observation that the data rests on.
    time: str
    datacontenttype: str = "application/json"
    #: The offset, padded so that text sorts as numbers do. Ordered within a partition key.
    sequence: str
    #: The channel's bare id.
    partitionkey: str
    #: When the log appended it.
    recordedtime: str
    data: Any


def envelope(partition: Partition, record: Record, message: Decision, kinds: Kinds) -> CloudEvent:
    kind = kinds.of[type(message)]
    return CloudEvent(
        id=f"{partition.topic}/{partition.number}/{record.offset}",
        type=kind.event_type,
        subject=kind.upsert_key(message),
        time=iso(message.observed_at_ms),
        sequence=f"{record.offset:020d}",
        partitionkey=str(message.channel_id),
        recordedtime=iso(record.appended_ms),
        data=message,
    )
