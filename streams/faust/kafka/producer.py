"""Faust's producer over Kafka, which has nothing to do: bodies send through the context.

What a body sends belongs to the transaction of its message (context.py); what is no agent appends
to the log (streams.kafka.log).
"""

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from faust.transport import base
from faust.types.core import HeadersArg
from faust.types.tuples import TP, FutureMessage, RecordMetadata
from mode import Seconds

from streams.log import LogError

if TYPE_CHECKING:
    from streams.faust.kafka.transport import Transport


class Producer(base.Producer):
    transport: "Transport"

    async def on_start(self) -> None:
        self.transport.enter()
        await super().on_start()

    async def on_stop(self) -> None:
        await super().on_stop()
        await self.transport.leave()

    def send_soon(self, fut: FutureMessage) -> NoReturn:
        raise LogError("an agent sends through the context, within the transaction of its message")

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: HeadersArg,
        *,
        transactional_id: str | None = None,
    ) -> Awaitable[RecordMetadata]:
        raise LogError("an agent sends through the context; whoever is none appends to the log")

    async def flush(self) -> None:
        """Nothing is kept here."""

    async def create_topic(
        self,
        topic: str,
        partitions: int,
        replication: int,
        *,
        config: Mapping[str, Any] | None = None,
        timeout: Seconds = 1000.0,
        retention: Seconds | None = None,
        compacting: bool | None = None,
        deleting: bool | None = None,
        ensure_created: bool = False,
    ) -> None:
        """Topics are made by `migrate`, with their retention and their copies."""

    def key_partition(self, topic: str, key: bytes) -> TP:
        return TP(topic, self.transport.partition(key))

    def supports_headers(self) -> bool:
        return True
