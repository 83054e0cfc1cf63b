"""What every role of a process stands on."""

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
    """Made by `started`."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    log: Log
    services: Services
    health: Health
    #: Under which name it holds leases: no other process has it at the same time.
    holder: str
    #: None where observations are not traced.
    traces: Traces | None
    decisions: Decisions

    @property
    def alone(self) -> bool:
        """Whether no other process can ask for its leases: the control store lies in the folder
        that the lock of the embedded log keeps for this process.
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
    """With services that stops when this is left. Stores are closed after that, by the caller.

    `decisions` are the program's own unless they are given.
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
    """An embedded log is one process's, so a restart may go on with the leases of the last one."""
    machine = settings.instance or socket.gethostname()
    if is_embedded(settings):
        return f"{machine}:{settings.log}"
    return f"{machine}/{uuid4().hex[:12]}"


def is_embedded(settings: Settings) -> bool:
    return settings.log.startswith(f"{EMBEDDED}:")


def end_process(reason: str) -> None:
    """At once, with exit code 1: where nothing else is safe, because another process may have what
    this one has not let go."""
    sys.stderr.write(f"analyticbot: {reason}\n")
    sys.stderr.flush()
    os._exit(1)
