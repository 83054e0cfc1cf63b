"""Faust's transport over the embedded log: ``broker="embedded:///folder"``.

The URL's query takes the log's settings (settings.py) and ``linger_ms`` (default 10): the least
time between commits.

It shares the log with an EmbeddedLog of the same folder, and uses Faust's conductor, tables and
recovery. One process has all partitions: the first assignment is the only one.
"""

from typing import Any

import msgspec
from faust.transport import base
from faust.transport.drivers import TRANSPORTS
from faust.types import AppT
from yarl import URL

from streams.context import ProcessorContext
from streams.embedded import sharing
from streams.embedded.engine import Engine
from streams.embedded.outbox import Outbox
from streams.embedded.partition import CHANGELOG, TopicState
from streams.embedded.settings import SCHEME, path_of, settings_of
from streams.faust.embedded.consumer import Consumer
from streams.faust.embedded.context import EmbeddedContext
from streams.faust.embedded.producer import Producer
from streams.log import LogClosed
from streams.topics import ALL, Topic


class _Options(msgspec.Struct, frozen=True):
    linger_ms: float = 10.0


class Transport(base.Transport):
    """Made by Faust, once per app. Opens the log at first use, on the event loop."""

    Consumer = Consumer
    Producer = Producer
    default_port = 0
    driver_version = "embedded"

    def __init__(self, url: list[URL], app: AppT, loop: Any = None) -> None:
        super().__init__(url, app, loop)
        self._address = str(url[0])
        options = {k: v for k, v in url[0].query.items() if k in _Options.__struct_fields__}
        self.options = msgspec.convert(options, _Options, strict=False)
        self.context: ProcessorContext = EmbeddedContext(self)
        self._outbox: Outbox | None = None
        self._users = 0
        self._closed = False

    @property
    def engine(self) -> Engine:
        """Raises what opening a log raises."""
        return self.outbox.engine

    @property
    def outbox(self) -> Outbox:
        if self._closed:
            raise LogClosed("the app has stopped")
        if self._outbox is None:
            engine = sharing.acquire(path_of(self._address), settings_of(self._address))
            group = str(self.app.conf.id)
            self._outbox = Outbox(engine, group)
        return self._outbox

    def enter(self) -> None:
        """Called by consumer and producer when they start; each calls `leave` when it stops."""
        self._users += 1

    async def leave(self) -> None:
        self._users -= 1
        if self._users == 0 and self._outbox is not None and not self._closed:
            self._outbox.stop()
            self._closed = True
            await sharing.release(self._outbox.engine)

    def topic(self, name: str) -> TopicState:
        """The topic; a missing one is created, with the settings that its name implies."""
        found = self.engine.topics.get(name)
        return found or self.create(name, int(self.app.conf.topic_partitions))

    def create(
        self,
        name: str,
        partitions: int,
        *,
        compacted: bool = False,
        retention_s: float | None = None,
    ) -> TopicState:
        """Creates a topic that Faust declares; an existing one stays unchanged."""
        if name not in self.engine.topics:
            self.engine.create(_declared(name, compacted, retention_s), partitions)
        return self.engine.topics[name]


def register_transport() -> None:
    """Registers ``embedded:`` with Faust, in case the package's entry points are not installed."""
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"


def _declared(name: str, compacted: bool, retention_s: float | None) -> Topic:
    known = next((topic for topic in ALL if topic.name == name), None)
    if known is not None:
        return known
    if compacted or name.endswith(CHANGELOG):
        return Topic(name, retention_ms=None, compacted=True)
    return Topic(name, retention_ms=int(retention_s * 1000)) if retention_s else Topic(name)
