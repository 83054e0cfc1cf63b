"""Real brokers on this machine: Apache Kafka (KRaft), one process a node, on loopback ports.

For the tests and for bench/; nothing here knows pytest. Tuned to start quickly, to notice a dead
broker soon, and to delete and compact within moments.
"""

import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.kafka import question
from tests.kafka.classpath import NoBroker
from tests.kafka.node import Machine, Node, new_id
from tests.kafka.ports import free_ports
from tests.kafka.question import Metadata

START_S = 180.0
_POLL_S = 0.02
#: The first node id of controllers that are nothing else.
_CONTROLLERS = 100

QUICK = {
    "auto.create.topics.enable": "false",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "controller.quorum.election.timeout.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "500",
    "initial.broker.registration.timeout.ms": "30000",
    "leader.imbalance.check.interval.seconds": "5",
    "log.cleaner.backoff.ms": "100",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.cleaner.min.cleanable.ratio": "0.01",
    "log.index.size.max.bytes": "65536",
    "log.initial.task.delay.ms": "100",
    "log.retention.check.interval.ms": "100",
    "log.segment.delete.delay.ms": "1000",
    "num.io.threads": "4",
    "num.network.threads": "2",
    "num.recovery.threads.per.data.dir": "1",
    "background.threads": "2",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.segment.bytes": "8388608",
    "replica.lag.time.max.ms": "4000",
    "share.coordinator.state.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.segment.bytes": "8388608",
}


class Listener(NamedTuple):
    """A further address of every broker, beside the plain one."""

    name: str
    protocol: str
    #: Settings of the broker that belong to it.
    settings: Mapping[str, str] = {}
    #: Where clients are told to go, of each broker; elsewhere than it listens, for a proxy.
    advertised: Mapping[int, int] = {}


class Cluster:
    """Made, `start_all`, and at last `close`; or by `with`, which does both."""

    #: A session of a group's member that is short enough to be waited for.
    session_ms = 2_000

    def __init__(
        self,
        brokers: int = 1,
        *,
        controllers: int = 0,
        listeners: tuple[Listener, ...] = (),
        settings: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        machine: Machine | None = None,
    ) -> None:
        """`controllers` of their own; with none, every broker is one as well.

        `users`: names and passwords that listeners with SCRAM know.
        """
        self._users = users or {}
        self._folder = Path(tempfile.mkdtemp(prefix="kafka-"))
        numbers = list(range(brokers))
        alone = [_CONTROLLERS + number for number in range(controllers)]
        voters = alone or numbers
        ports = iter(free_ports(brokers * (1 + len(listeners)) + len(voters)))
        self._control = {number: next(ports) for number in voters}
        #: The port of each broker, by the name of the listener.
        self.ports = {
            name: {number: next(ports) for number in numbers}
            for name in ["PLAIN", *(listener.name for listener in listeners)]
        }
        common = {**QUICK, **_replicated(brokers), **self._quorum(), **(settings or {})}
        self._nodes: dict[int, Node] = {}
        for number in [*alone, *numbers]:
            own = {**common, **self._addresses(number, listeners)}
            folder = self._folder / str(number)
            self._nodes[number] = Node(number, folder, own, machine or Machine())

    @property
    def servers(self) -> str:
        """Host and port of every broker, with commas."""
        return self.servers_of("PLAIN")

    @property
    def url(self) -> str:
        return f"kafka://{self.servers}"

    def servers_of(self, listener: str) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self.ports[listener].values())

    def pid(self, number: int) -> int:
        return self._nodes[number].pid

    def running(self, number: int) -> bool:
        return self._nodes[number].running

    def start_all(self) -> None:
        """Format and start every node; returns when clients can use them. Raises NoBroker."""
        first, *others = self._nodes.values()
        first.format(new_id(), self._users)
        for other in others:
            other.format_like(first)
        for node in self._nodes.values():
            node.start()
        self._wait({number for number in self._nodes if number < _CONTROLLERS})

    def start(self, number: int) -> None:
        """As it was before it was stopped or killed. Raises NoBroker."""
        self._nodes[number].start()
        if number < _CONTROLLERS:
            self._wait({number})

    def stop(self, number: int) -> None:
        """In order: its partitions have other leaders before it is gone."""
        self._nodes[number].end(signal.SIGTERM)

    def kill(self, number: int) -> None:
        self._nodes[number].end(signal.SIGKILL)

    def leader(self, topic: str, partition: int) -> int | None:
        """The broker that leads a partition now; None while there is none."""
        leader = self.metadata(topic).leaders.get((topic, partition), -1)
        return leader if leader >= 0 else None

    def in_sync(self, topic: str, partition: int) -> set[int]:
        return set(self.metadata(topic).in_sync.get((topic, partition), ()))

    def metadata(self, *topics: str) -> Metadata:
        """As a running broker sees it. Raises NoBroker when none answers."""
        for number, port in self.ports["PLAIN"].items():
            if self._nodes[number].running:
                try:
                    return question.ask(port, topics)
                except OSError:
                    continue
        raise NoBroker("no Kafka broker answers")

    def close(self) -> None:
        """Ends every node and deletes what they stored."""
        for node in self._nodes.values():
            node.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start_all()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _wait(self, brokers: set[int]) -> None:
        """Until each of `brokers` answers and knows that all of them are up."""
        until = time.monotonic() + START_S
        for number in brokers:
            while not self._knows(number, brokers):
                if not self._nodes[number].running:
                    raise NoBroker(f"a Kafka broker ended: {self._nodes[number].said()}")
                if time.monotonic() > until:
                    raise NoBroker(f"no Kafka broker within {START_S} s on this machine")
                time.sleep(_POLL_S)

    def _knows(self, number: int, brokers: set[int]) -> bool:
        try:
            answer = question.ask(self.ports["PLAIN"][number])
        except OSError:
            return False
        return brokers <= set(answer.brokers)

    def _quorum(self) -> Mapping[str, str]:
        voters = (f"{number}@127.0.0.1:{port}" for number, port in self._control.items())
        return {
            "controller.quorum.voters": ",".join(voters),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAIN",
        }

    def _addresses(self, number: int, listeners: tuple[Listener, ...]) -> Mapping[str, str]:
        """Roles and listeners of a node."""
        protocols = {"PLAIN": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"}
        roles, at, told = [], {}, {}
        if number in self.ports["PLAIN"]:
            roles.append("broker")
            at = {name: ports[number] for name, ports in self.ports.items()}
            told = dict(at)
        if number in self._control:
            roles.append("controller")
            at["CONTROLLER"] = self._control[number]
        further: dict[str, str] = {}
        if "broker" in roles:
            for listener in listeners:
                protocols[listener.name] = listener.protocol
                told[listener.name] = listener.advertised.get(number, at[listener.name])
                further.update(listener.settings)
            further["advertised.listeners"] = _places(told)
        return {
            **further,
            "process.roles": ",".join(roles),
            "listeners": _places(at),
            "listener.security.protocol.map": ",".join(f"{n}:{p}" for n, p in protocols.items()),
        }


def _places(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


def _replicated(brokers: int) -> Mapping[str, str]:
    copies, enough = str(min(brokers, 3)), str(min(brokers, 2))
    return {
        "default.replication.factor": copies,
        "min.insync.replicas": enough,
        "offsets.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": enough,
        "share.coordinator.state.topic.replication.factor": copies,
        "transaction.state.log.min.isr": enough,
        "transaction.state.log.replication.factor": copies,
    }
