"""The parts that all roles of a process share."""

import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import uuid4

from analyticbot.config import Settings
from analyticbot.disk import tell_disk
from analyticbot.installed import Decisions, own
from analyticbot.memory import loaded_for_good
from analyticbot.services import Services
from analyticbot.traces import opened_traces
from api.checks import log_check
from api.health import Health
from control.opening import file_of
from streams.clock import Clock
from streams.embedded.settings import SCHEME as EMBEDDED
from streams.log import Log
from streams.metrics import Metrics
from streams.tracing import Traces


class Process(NamedTuple):
    """The ports of a running process, created by `started`."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    log: Log
    services: Services
    health: Health
    #: The process's name as a holder of leases, unique among running processes.
    holder: str
    #: None if tracing is off.
    traces: Traces | None
    decisions: Decisions

    @property
    def alone(self) -> bool:
        """Whether no other process can request its leases: the control store is in the data folder,
        which the lock of the embedded log reserves for this process.
        """
        data = self.settings.data
        own_log = self.settings.log.partition("?")[0] == f"{EMBEDDED}://{data / 'log'}"
        return own_log and file_of(self.settings.control) == data / "control.db"


@asynccontextmanager
async def started(
    settings: Settings,
    log: Log,
    clock: Clock,
    metrics: Metrics,
    decisions: Decisions | None = None,
) -> AsyncIterator[Process]:
    """Starts a process; its services stop at the end of the block.

    The caller closes the stores after that. `decisions` defaults to the program's own.
    Raises Failure.
    """
    health = Health()
    health.add("log", log_check(log))
    async with opened_traces(settings) as traces, Services() as services:
        services.add("disk", tell_disk(settings.data, log, metrics))
        with loaded_for_good():
            known = decisions or own()
            yield Process(
                settings, clock, metrics, log, services, health, holder(settings), traces, known
            )


def holder(settings: Settings) -> str:
    """The name of this process as a holder of leases.

    Only one process can use an embedded log, so a restart has the same name and keeps the leases.
    On Kafka every start has a new name.
    """
    machine = settings.instance or socket.gethostname()
    if is_embedded(settings):
        return f"{machine}:{settings.log}"
    return f"{machine}/{uuid4().hex[:12]}"


def is_embedded(settings: Settings) -> bool:
    return settings.log.startswith(f"{EMBEDDED}:")


def end_process(reason: str) -> None:
    """Ends the process immediately, with exit code 1; nothing is closed.

    For a lost lease whose work did not stop in time: another process may own that work now.
    """
    sys.stderr.write(f"analyticbot: {reason}\n")
    sys.stderr.flush()
    os._exit(1)
