"""Our transport of Faust over Apache Kafka: ``broker="kafka://host:port"``.

Effectively once, as on the embedded log: outputs, rows and offsets of a task are one transaction
(transaction.py). It uses Faust's conductor and streams, but not its assignor, bookkeeping of
acknowledgements, changelogs and recovery (docs/decisions/0001-faust.md).
"""

from pathlib import Path
from typing import Any, cast

import msgspec
from faust.stores import STORES
from faust.transport import base
from faust.transport.drivers import TRANSPORTS
from faust.types import AppT
from yarl import URL

from streams.context import Task as Number
from streams.database import Budget
from streams.faust.kafka import store
from streams.faust.kafka.consumer import Consumer
from streams.faust.kafka.context import KafkaContext
from streams.faust.kafka.declarations import Declarations
from streams.faust.kafka.producer import Producer
from streams.kafka.membership import MemberSettings
from streams.kafka.settings import SCHEME, client_options, settings_of
from streams.kafka.state import State
from streams.kafka.task import Task
from streams.kafka.tasks import Tasks, TaskSettings
from streams.log import LogError
from streams.metrics import Metrics
from streams.partitioner import partition_of
from streams.topics import Topic


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a worker on Kafka: the attribute `work` of the engine's app.

    For an ordinary app they follow from its settings.
    """

    member: MemberSettings
    tasks: TaskSettings
    #: The folder of the tables.
    folder: Path
    budget: Budget = Budget()
    #: How long a commit waits for more effects under low load.
    linger_s: float = 0.02
    metrics: Metrics


class Transport(base.Transport):
    """Made by Faust, once per app. Opens the tables at first use."""

    Consumer = Consumer
    Producer = Producer
    default_port = 9092
    driver_version = "kafka"

    def __init__(self, url: list[URL], app: AppT, loop: Any = None) -> None:
        super().__init__(url, app, loop)
        #: The topics of an ordinary app; `migrate` makes the engine's.
        self.declared: Declarations | None = None
        self.work: Work = getattr(app, "work", None) or self._ordinary(url, app)
        self._state: State | None = None
        self._tasks: Tasks | None = None
        self._users = 0
        #: The number of tasks of the group; known after the first assignment.
        self.tasks_in_all = 0
        self._owned: dict[Number, Task] = {}
        self.context = KafkaContext(
            self._owned, lambda: self.state, self.partition, self.filled, self._is_open
        )

    @property
    def state(self) -> State:
        """Raises what opening a database raises."""
        if self._state is None:
            self._state = State(self.work.folder, self.work.budget)
        return self._state

    @property
    def tasks(self) -> Tasks:
        if self._tasks is None:
            tables: Any = self.app.tables
            topics = {name: table.changelog_topic_name for name, table in tables.items()}
            self._tasks = Tasks(self.work.tasks, self.state, topics, self.work.metrics, self._owned)
        return self._tasks

    def partition(self, key: bytes) -> int:
        """The partitions of every topic: all have the same number."""
        return partition_of(key, self.tasks_in_all)

    def check_tables(self) -> None:
        """Raises LogError for a table with another store, or a global table."""
        tables: Any = self.app.tables
        for name, table in tables.items():
            if table.is_global:
                raise LogError(f"table {name}: a GlobalTable is not supported on Kafka; use Table")
            if not isinstance(table.data, store.Store):
                raise LogError(
                    f"table {name}: its store {table.data.url} is not in the transactions of its "
                    f"messages; leave `store` out, of the app and of the table"
                )

    async def make_changelogs(self) -> None:
        """Of an ordinary app, one partition per task. Raises LogError."""
        if self.declared is not None:
            tables: Any = self.app.tables
            changelogs = [
                Topic(name, retention_ms=None, compacted=True) for name in tables.changelog_topics
            ]
            await self.declared.make(changelogs, self.tasks_in_all)

    def _ordinary(self, url: list[URL], app: AppT) -> Work:
        """Raises LogError."""
        settings = settings_of(",".join(map(str, url)))
        client = client_options(settings)
        self.declared = Declarations(settings)
        group = str(app.conf.id)
        settings_of_app = cast(Any, app.conf).SETTINGS
        if settings_of_app["store"].on_get(app.conf) == URL("memory://"):
            # Faust's default store. It would be empty after a restart.
            settings_of_app["store"].on_set(app.conf, URL(f"{store.SCHEME}://"))
        # Its topic has one partition, but topics read here have one per task.
        settings_of_app["topic_disable_leader"].on_set(app.conf, True)
        return Work(
            member=MemberSettings(client=client, group=group, session_s=settings.session_ms / 1000),
            tasks=TaskSettings(client=client, group=group),
            folder=Path(app.conf.tabledir),
            metrics=Metrics(),
        )

    def enter(self) -> None:
        """Called by consumer and producer when they start; each calls `leave` when it stops."""
        self._users += 1

    async def leave(self) -> None:
        self._users -= 1
        if self._users == 0 and self._state is not None:
            state, self._state = self._state, None
            state.close()
        if self._users == 0 and self.declared is not None:
            await self.declared.close()

    def _is_open(self) -> bool:
        return cast(Consumer, self.app.consumer).is_open

    def filled(self) -> None:
        """Called when a task has something to commit."""
        cast(Consumer, self.app.consumer).filled()


def register_transport() -> None:
    """Registers this transport for ``kafka:`` and its tables for ``rows:`` with Faust."""
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
    STORES.aliases[store.SCHEME] = f"{store.__name__}:Store"
