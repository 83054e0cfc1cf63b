"""Runs one engine on one topic in a process of its own, and checks what it found."""

import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import msgspec
import numpy as np

from bench.peers.filling import Filled
from bench.peers.job import CLOSING, Job
from bench.peers.lap import Time
from bench.peers.world import Numbers

ROOT = Path(__file__).parents[2]
PEERS = Path(sys.prefix) / "peers" / "bin" / "python"
LIMIT_S = 240.0


class Engine(msgspec.Struct, frozen=True):
    """Who is measured, and with how much: so much that a round takes seconds, not minutes."""

    name: str
    module: str
    #: Events of a run, as frames and as a message each.
    framed: int
    single: int
    variant: str = ""
    #: In the environment of the peers, not in ours.
    foreign: bool = False
    #: Keeps nothing, so nothing can be checked.
    blind: bool = False


class Lost(Exception):
    """An engine ended without a result; its last words are the message."""


class Run(msgspec.Struct, frozen=True):
    events: int
    time: Time
    #: Rows that are missing, too many or other than they must be.
    wrong: int


def race(engine: Engine, filled: Filled, truth: Numbers, servers: str, broker: int | None) -> Run:
    """One run from nothing. Raises Lost."""
    with tempfile.TemporaryDirectory() as folder:
        job = Job(
            servers=servers,
            topic=filled.topic,
            framed=filled.framed,
            events=filled.events,
            messages=filled.messages,
            group=f"{engine.module}-{uuid.uuid4().hex[:8]}",
            folder=folder,
            broker_pid=broker,
            started_s=time.monotonic(),
            variant=engine.variant,
        )
        _run(engine, job)
        found = msgspec.json.decode((job.path / "time").read_bytes(), type=Time)
        rows = np.fromfile(job.path / "rows", dtype=np.int64).reshape(-1, 5)
    return Run(filled.events, found, 0 if engine.blind else wrong_rows(rows, truth))


def wrong_rows(rows: Numbers, truth: Numbers) -> int:
    """Of the ones that count; a row that is told twice is wrong once."""
    mine = {tuple(row) for row in rows[rows[:, 0] < CLOSING].tolist()}
    theirs = {tuple(row) for row in truth.tolist()}
    twice = int(np.count_nonzero(rows[:, 0] < CLOSING)) - len(mine)
    return len(mine ^ theirs) + twice


def _run(engine: Engine, job: Job) -> None:
    python = PEERS if engine.foreign else Path(sys.executable)
    command = [str(python), "-m", f"bench.peers.engines.{engine.module}"]
    # Whatever a shell has set for Python is not the engine's.
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    try:
        subprocess.run(
            command,
            cwd=ROOT,
            env=clean,
            input=msgspec.json.encode(job),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=LIMIT_S,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        words = (error.stderr or b"").decode(errors="replace").strip()[-2000:]
        raise Lost(f"{engine.name} on {job.topic}: {words or error}") from error
