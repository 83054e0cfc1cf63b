"""A Faust app on one of our logs, and what agents on it are made of. No agent is added here.

What Faust does by default and we do ourselves, because it does not survive a restart or costs
seconds at start: expiry of rows, dead letters, the end on an unknown error, waiting for tables
that are declared late, folders for state (it is kept in the log), a web server, a leader.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import faust
import msgspec
from faust.tables.manager import TableManager
from faust.types import EventT, Message, TopicT

from agents.engine.body import Body, Fatal, Graveyard
from agents.engine.cache import RowCache
from agents.engine.dead import DeadLimit
from agents.engine.decision import Handler, Reader
from agents.engine.monitor import QuietMonitor
from agents.engine.ports import Bury
from agents.engine.sending import Sender, sender, traced
from streams.database import Budget
from streams.driver.consumer import stop_commits
from streams.driver.desk import Desk
from streams.embedded.transport import register_transport as register_embedded
from streams.kafka import settings as kafka
from streams.kafka.membership import MemberSettings
from streams.kafka.tasks import TaskSettings
from streams.kafka.transport import Work
from streams.kafka.transport import register_transport as register_kafka
from streams.metrics import Metrics, Stage
from streams.topics import Topic
from streams.tracing import SpanName, Traces
from tables.rows import R


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set of the pipeline."""

    #: The log: embedded:///folder or kafka://host:port.
    broker: str
    #: Of every topic that this program makes.
    partitions: int = 4
    #: The consumer group; changelogs are named by it.
    group: str = "analyticbot"
    #: Decoded rows kept in memory, a table.
    cached_rows: int = 8192
    dead_limit: DeadLimit = DeadLimit()
    # Of workers on Kafka only.
    #: The folder of the tables; one worker at a time has it.
    tables: Path = Path("tables")
    #: Memory for the tables.
    budget: Budget = Budget()
    #: A name that a restart keeps: nothing moves when the worker is back soon.
    instance: str | None = None
    #: How many other workers keep up with the tables of each task.
    standbys: int = 1


def end_process(error: Exception) -> None:
    """The default end: one line, exit 1, and nothing more is acknowledged."""
    sys.stderr.write(f"analyticbot: the pipeline stopped: {error or type(error).__name__}\n")
    sys.stderr.flush()
    os._exit(1)


class Worker:
    """An app, ready to be given agents and then to be started.

    `fatal` is called with what cannot be gone on from; commits are forbidden before that, so it may
    return and end the process in order. Without `traces` none are gone on with.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        metrics: Metrics,
        fatal: Fatal = end_process,
        traces: Traces | None = None,
    ) -> None:
        """Raises WrongKafkaUrl."""
        register_embedded()
        register_kafka()
        self.app = _app(settings, metrics)
        self.desk: Desk = cast(Any, self.app.transport).desk
        self._settings = settings
        self._metrics = metrics
        self._traces = traces

        def stop(error: Exception) -> None:
            stop_commits(self.app)
            fatal(error)

        self._fatal = self.app.crashed_with = stop

    def add(
        self,
        topic: Topic,
        stage: Stage,
        bury: Bury,
        reader: Reader,
        handlers: Mapping[type, Sequence[Handler]],
    ) -> None:
        """The one agent on a topic. `handlers` of each kind of message that `reader` reads."""
        body = Body(
            topic.name,
            stage,
            reader,
            handlers,
            bury=bury,
            metrics=self._metrics,
            limit=self._settings.dead_limit,
            fatal=self._fatal,
            traces=self._traces,
        )
        self.app.agent(self._topic(topic.name), name=stage)(body.run)

    def graveyard(self, topic: Topic, stage: Stage) -> Graveyard:
        """The dead letters of a topic."""
        return Graveyard(topic.name, stage, self.sender(topic.dead), self._metrics)

    def table(self, name: str, row: type[R]) -> RowCache[R]:
        table = self.app.Table(
            name,
            key_type=bytes,
            value_type=bytes,
            partitions=self._settings.partitions,
        )
        # Faust takes bytes for JSON unless it is told here, before the changelog is made.
        for_changelog: Any = table
        for_changelog.key_serializer = for_changelog.value_serializer = "raw"
        cache = RowCache(self.desk, name, row, self._settings.cached_rows)
        self.on_assignment(cache.forget)
        return cache

    def sender(self, topic: str, span: SpanName | None = None) -> Sender:
        """With a span, what is sent continues the trace of its message."""
        plain = sender(self.desk, topic)
        return plain if span is None or self._traces is None else traced(plain, span, self._traces)

    def on_assignment(self, forget: Callable[[], None]) -> None:
        """Have `forget` called when the partitions of this process have changed."""

        async def assigned(*_args: Any, **_kwargs: Any) -> None:
            forget()

        self.app.on_partitions_assigned.connect(assigned, weak=False)

    def _topic(self, name: str) -> TopicT:
        return self.app.topic(
            name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            partitions=self._settings.partitions,
            allow_empty=True,
        )


def _on_kafka(settings: WorkerSettings) -> bool:
    return settings.broker.startswith(f"{kafka.SCHEME}:")


def _work(settings: WorkerSettings, metrics: Metrics) -> Work:
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


def _app(settings: WorkerSettings, metrics: Metrics) -> "_App":
    app = _App(
        settings.group,
        broker="kafka://" if _on_kafka(settings) else settings.broker,
        store="rows://" if _on_kafka(settings) else "memory://",
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
    if _on_kafka(settings):
        app.work = _work(settings, metrics)
    else:
        cast(QuietMonitor, app.monitor).metrics = metrics
    return app


class _App(faust.App):
    #: Read by streams.driver.consumer: messages of one partition are delivered in batches.
    takes_batches = True
    #: Called once with what crashed a service of the app: the log, most likely.
    crashed_with: Fatal | None = None
    #: What it is run with on Kafka: its transport reads it.
    work: Work

    def _crash(self, reason: BaseException) -> None:
        super()._crash(reason)
        fatal, self.crashed_with = self.crashed_with, None
        if fatal is not None and isinstance(reason, Exception):
            fatal(reason)

    def _create_directories(self) -> None:
        """None: state is kept in the log."""


class _BytesTopic(faust.Topic):
    """Hands on keys and values as they are: bytes."""

    def _compile_decode(self) -> None:
        app = self.app

        async def decode(message: Message, *, propagate: bool = False) -> EventT[Any]:
            return faust.Event(app, message.key, message.value, message.headers, message)

        self.decode = decode  # type: ignore[method-assign]


class _PromptTables(TableManager):
    """All tables are declared before the start, so there is nothing to wait for."""

    async def on_start(self) -> None:
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()
