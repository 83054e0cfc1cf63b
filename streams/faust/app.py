"""A Faust app on one of our logs, without agents and tables.

Switched off, because they do not survive a restart or cost seconds at start: Faust's expiry of
rows, dead letters, handling of unknown errors, waiting for tables that are declared late, folders
for state (the log keeps it), web server, leader.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, cast

import faust
import msgspec
from faust.tables.manager import TableManager
from faust.types import EventT, Message, StreamT, TopicT

from streams.context import ProcessorContext
from streams.database import Budget
from streams.faust.embedded.transport import register_transport as register_embedded
from streams.faust.kafka.transport import Work
from streams.faust.kafka.transport import register_transport as register_kafka
from streams.faust.monitor import QuietMonitor
from streams.kafka import settings as kafka
from streams.kafka.membership import MemberSettings
from streams.kafka.tasks import TaskSettings
from streams.metrics import Metrics

#: The stream over which an agent's body iterates.
Stream: TypeAlias = StreamT[Any]


class AppSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The log, and the settings of a worker as a member of its group."""

    #: The log: embedded:///folder or kafka://host:port.
    broker: str
    #: Partitions of every topic that this program makes.
    partitions: int = 4
    #: The consumer group; prefixes the names of changelogs.
    group: str = "analyticbot"
    # For workers on Kafka only.
    #: The folder of the tables; only one worker at a time may use it.
    tables: Path = Path("tables")
    #: Memory for the tables.
    budget: Budget = Budget()
    #: The member's name across restarts: with it a quick restart reassigns nothing.
    instance: str | None = None
    #: Standby replicas of each task's tables.
    standbys: int = 1


class App(faust.App):
    """Delivers the messages of a partition in batches, and reports crashes of its services."""

    #: Read by streams.faust.consumer.
    takes_batches = True
    #: Called once, with the error that crashed a service of the app: mostly an error of the log.
    crashed_with: Callable[[Exception], None] | None = None
    #: The settings of a worker on Kafka; its transport reads them.
    work: Work

    @property
    def context(self) -> ProcessorContext:
        """The context through which agents' bodies read and write."""
        return cast(ProcessorContext, cast(Any, self.transport).context)

    @property
    def is_restored(self) -> bool:
        """Whether the tables of all tasks are up to date; not while tasks change hands."""
        tables: Any = self.tables
        return not self.rebalancing and tables.recovery.completed.is_set()

    def bytes_topic(self, name: str, partitions: int) -> TopicT:
        """A topic whose keys and values are bytes."""
        return self.topic(
            name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            partitions=partitions,
            allow_empty=True,
        )

    def bytes_table(self, name: str, partitions: int) -> None:
        """Declares a table and its changelog. Its rows are read through `context`."""
        table = self.Table(name, key_type=bytes, value_type=bytes, partitions=partitions)
        # Faust treats bytes as JSON unless the serializer is set before it makes the changelog.
        for_changelog: Any = table
        for_changelog.key_serializer = for_changelog.value_serializer = "raw"

    def _crash(self, reason: BaseException) -> None:
        super()._crash(reason)
        fatal, self.crashed_with = self.crashed_with, None
        if fatal is not None and isinstance(reason, Exception):
            fatal(reason)

    def _create_directories(self) -> None:
        """Does nothing: the log keeps the state."""


def opened_app(settings: AppSettings, metrics: Metrics) -> App:
    """Raises WrongKafkaUrl."""
    register_embedded()
    register_kafka()
    on_kafka = settings.broker.startswith(f"{kafka.SCHEME}:")
    app = App(
        settings.group,
        broker="kafka://" if on_kafka else settings.broker,
        store="rows://" if on_kafka else "memory://",
        web_enabled=False,
        topic_partitions=settings.partitions,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        # With Faust's 4096 a full buffer stops all partitions for a second.
        stream_buffer_maxsize=65536,
        stream_wait_empty=False,
        stream_recovery_delay=0,
        Monitor=QuietMonitor,
        TableManager=_PromptTables,
        Topic=_BytesTopic,
    )
    if on_kafka:
        app.work = _work(settings, metrics)
    else:
        cast(QuietMonitor, app.monitor).metrics = metrics
    return app


def _work(settings: AppSettings, metrics: Metrics) -> Work:
    """Raises WrongKafkaUrl."""
    told = kafka.settings_of(settings.broker)
    client = kafka.client_options(told)
    return Work(
        member=MemberSettings(
            client=client,
            group=settings.group,
            instance=settings.instance,
            session_s=told.session_ms / 1000,
            standbys=settings.standbys,
        ),
        tasks=TaskSettings(client=client, group=settings.group),
        folder=settings.tables,
        budget=settings.budget,
        metrics=metrics,
    )


class _BytesTopic(faust.Topic):
    """Passes keys and values on unchanged, as bytes."""

    def _compile_decode(self) -> None:
        app = self.app

        async def decode(message: Message, *, propagate: bool = False) -> EventT[Any]:
            return faust.Event(app, message.key, message.value, message.headers, message)

        self.decode = decode  # type: ignore[method-assign]


class _PromptTables(TableManager):
    """Does not wait: all tables are declared before the start."""

    async def on_start(self) -> None:
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()
