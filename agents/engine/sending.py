"""How decisions send: through the processor context, within the commit of their message."""

from typing import Protocol

from streams.context import ProcessorContext, Task
from streams.log import Partition
from streams.tracing import Traces

Headers = dict[str, bytes]
#: A header of what was forwarded while its decision was filled: nothing that follows is sent.
FILLED = "filled"


class Sender(Protocol):
    """Sends to one topic within the commit of the task's message. Never waits."""

    def __call__(
        self,
        task: Task,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int,
        headers: Headers | None = None,
    ) -> None: ...


def sender(context: ProcessorContext, topic: str) -> Sender:
    def send(
        task: Task,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int,
        headers: Headers | None = None,
    ) -> None:
        context.send(task, topic, key, value, timestamp_ms, headers or {})

    return send


class Spread(Protocol):
    """Sends the same message without a key to every partition of one topic. Never waits."""

    def __call__(self, task: Task, value: bytes, timestamp_ms: int, headers: Headers) -> None: ...


def spreader(context: ProcessorContext, topic: str, partitions: int) -> Spread:
    places = [Partition(topic, number) for number in range(partitions)]

    def spread(task: Task, value: bytes, timestamp_ms: int, headers: Headers) -> None:
        for place in places:
            context.send_to(task, place, value, timestamp_ms, headers)

    return spread


def send_span(topic: str) -> str:
    """The span's name for sends to a topic."""
    return f"{topic.rpartition('.')[2]}.send"


def traced(send: Sender, name: str, traces: Traces) -> Sender:
    """The same sender, which continues the trace of the message being processed."""

    def send_on(
        task: Task,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int,
        headers: Headers | None = None,
    ) -> None:
        span = traces.within(name)
        if span is None:
            send(task, key, value, timestamp_ms, headers)
            return
        with span:
            send(task, key, value, timestamp_ms, {**(headers or {}), **span.headers})

    return send_on
