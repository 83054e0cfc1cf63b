"""How a body sends and how it writes rows: through Faust, or straight into the embedded log.

Straight means into the outbox that Faust's producer would put it in, without the promises that
nobody here waits for; they were a third of the pipeline's cost.
"""

from typing import Any, Protocol, cast

import faust
from faust.types import EventT, TopicT
from faust.types.tables import TableT

from streams.embedded.engine import Entry
from streams.embedded.transport import Transport
from streams.log import LogError, Partition
from streams.partitioner import partition_of

Headers = dict[str, bytes]
Table = TableT[bytes, bytes]


class Sender(Protocol):
    """Sends within the current message's commit. Never waits."""

    def __call__(
        self,
        key: bytes | None,
        value: bytes | None,
        timestamp_s: float,
        headers: Headers | None = None,
    ) -> None: ...


class Writer(Protocol):
    """Sets a row, or deletes it (None), in a table and its changelog, within the commit."""

    def __call__(self, event: EventT[bytes], key: bytes, data: bytes | None) -> None: ...


def sender(app: faust.App, topic: TopicT) -> Sender:
    if isinstance(app.transport, Transport):
        return _DirectSender(app.transport, topic.get_topic_name())

    def send(
        key: bytes | None, value: bytes | None, timestamp_s: float, headers: Headers | None = None
    ) -> None:
        topic.send_soon(key=key, value=value, timestamp=timestamp_s, headers=headers)

    return send


def writer(app: faust.App, table: Table) -> Writer:
    if isinstance(app.transport, Transport):
        return _DirectWriter(app.transport, table)

    def write(event: EventT[bytes], key: bytes, data: bytes | None) -> None:
        if data is not None:
            table[key] = data
        else:
            del table[key]

    return write


def _unwatched(_outcome: tuple[Partition, int] | LogError) -> None:
    """A commit that fails stops the app, whatever was in it."""


class _DirectSender:
    def __init__(self, transport: Transport, topic: str) -> None:
        self._transport = transport
        self._topic = topic

    def __call__(
        self,
        key: bytes | None,
        value: bytes | None,
        timestamp_s: float,
        headers: Headers | None = None,
    ) -> None:
        partitions = self._transport.topic(self._topic).partitions
        state = partitions[partition_of(key, len(partitions)) if key is not None else 0]
        entry = Entry(state, round(timestamp_s * 1000), key, value, headers or {})
        self._transport.outbox.add(entry, _unwatched)


class _DirectWriter:
    def __init__(self, transport: Transport, table: Table) -> None:
        self._transport = transport
        self._table = table
        self._topic = cast(Any, table).changelog_topic_name

    def __call__(self, event: EventT[bytes], key: bytes, data: bytes | None) -> None:
        message = event.message
        state = self._transport.topic(self._topic).partitions[message.partition]
        timestamp_ms = round(message.timestamp * 1000)
        self._transport.outbox.add(Entry(state, timestamp_ms, key, data, {}), _unwatched)
        if data is not None:
            self._table.data[key] = data
        else:
            del self._table.data[key]
