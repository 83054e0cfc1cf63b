"""How a body sends: at the desk, within the commit of the message that it works on."""

from typing import Protocol

from faust.types import EventT

from streams.driver.desk import Desk

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
