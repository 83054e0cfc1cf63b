"""`analyticbot demo` as a process of its own, as somebody would start it."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.kafka.ports import free_ports
from tests.patience import PATIENCE_S

COMMAND = (str(Path(sys.executable).with_name("analyticbot")), "demo")


class Demo:
    """Started by `start`, on a port that stays the same over restarts."""

    def __init__(self, data: Path) -> None:
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when the page has channels to show."""
        environment = {**os.environ, "ANALYTICBOT_DATA": str(self._data)}
        self._data.mkdir(parents=True, exist_ok=True)
        with (self._data.parent / f"demo-{self.port}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "--port", str(self.port)], env=environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the demo did not start: {self.log()[-2000:]}")
            time.sleep(0.1)

    def freeze(self) -> None:
        """It lives and says nothing any more."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log(self) -> str:
        return (self._data.parent / f"demo-{self.port}.log").read_text(errors="replace")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/channels", timeout=5) as response:
                return b'"username"' in response.read()
        except (urllib.error.URLError, OSError):
            return False
