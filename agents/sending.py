"""How a body sends: at the desk, within the commit of the message that it works on."""

from typing import Protocol

from faust.types import EventT

from streams.driver.desk import Desk
from streams.tracing import SpanName, Traces

Headers = dict[str, bytes]


class Sender(Protocol):
    """Sends within the commit of the event. Never waits."""

    def __call__(
        self,
        event: EventT[bytes],
        key: bytes | None,
        value: bytes | None,
        timestamp_s: float,
        headers: Headers | None = None,
    ) -> None: ...


def sender(desk: Desk, topic: str) -> Sender:
    def send(
        event: EventT[bytes],
        key: bytes | None,
        value: bytes | None,
        timestamp_s: float,
        headers: Headers | None = None,
    ) -> None:
        task = event.message.partition
        desk.send(task, topic, key, value, round(timestamp_s * 1000), headers or {})

    return send


def traced(send: Sender, name: SpanName, traces: Traces) -> Sender:
    """The same sender, which goes on with the trace of the message that is worked on."""

    def send_on(
        event: EventT[bytes],
        key: bytes | None,
        value: bytes | None,
        timestamp_s: float,
        headers: Headers | None = None,
    ) -> None:
        span = traces.within(name)
        if span is None:
            send(event, key, value, timestamp_s, headers)
            return
        with span:
            send(event, key, value, timestamp_s, {**(headers or {}), **span.headers})

    return send_on
