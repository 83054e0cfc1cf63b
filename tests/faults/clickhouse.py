"""ClickHouse as a process that can be away: the engine in process behind its HTTP interface."""

import http.client
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.worker import ROOT
from tests.kafka.ports import free_ports

START_S = 60.0
STOP_S = 30.0
_LOOK_S = 0.02


class ClickHouse:
    """Its folder and its port stay. Started by `with`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        [self.port] = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        command = [sys.executable, "-m", "tests.clickhouse.shim", str(self.folder), str(self.port)]
        self._process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        until = time.monotonic() + START_S
        while not self._answers():
            assert self._process.poll() is None, "ClickHouse ended"
            assert time.monotonic() < until, "ClickHouse does not start"
            time.sleep(_LOOK_S)

    def kill(self) -> None:
        """kill -9; returns when it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
