"""One node of a cluster: its settings and its process."""

import base64
import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.kafka.classpath import NoBroker, archive, classpath, java


class Machine(NamedTuple):
    """How much of this machine a node may take."""

    heap_mib: int = 384
    #: False compiles in the simple way only: a quicker start, a slower broker.
    optimised: bool = False

    @property
    def options(self) -> Sequence[str]:
        simple = [] if self.optimised else ["-XX:TieredStopAtLevel=1"]
        return [f"-Xmx{self.heap_mib}m", "-XX:+UseSerialGC", "-Xshare:auto", *simple]


class Node:
    """Its folder and ports stay when it is stopped and started."""

    def __init__(
        self, number: int, folder: Path, settings: Mapping[str, str], machine: Machine
    ) -> None:
        self.number = number
        self.folder = folder
        self._machine = machine
        self._process: subprocess.Popen[bytes] | None = None
        self._archive: Path | None = None
        folder.mkdir(parents=True)
        self._settings = folder / "server.properties"
        lines = {**settings, "node.id": str(number), "log.dirs": str(folder / "data")}
        self._settings.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))

    def format(self, cluster: str, users: Mapping[str, str]) -> None:
        """`users`: names and passwords, for SCRAM. Raises NoBroker with what the tool said."""
        arguments = ["format", "-t", cluster, "-c", str(self._settings)]
        for name, password in users.items():
            arguments += ["-S", f"SCRAM-SHA-512=[name={name},password={password}]"]
        done = subprocess.run(
            self._command("kafka.tools.StorageTool", *arguments),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NoBroker(f"no Kafka broker: {(done.stderr or done.stdout).strip()}")

    def format_like(self, other: "Node") -> None:
        """As `other` was: a copy is quicker than the tool."""
        target = self.folder / "data"
        target.mkdir()
        for file in (other.folder / "data").iterdir():
            (target / file.name).write_bytes(file.read_bytes())
        lines = []
        for line in (target / "meta.properties").read_text().splitlines():
            key, _, _ = line.partition("=")
            own = {"node.id": str(self.number), "directory.id": new_id()}
            lines.append(f"{key}={own[key]}" if key in own else line)
        (target / "meta.properties").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        self._archive = None
        if self.number == 0 and not archive().is_file():
            # It leaves its classes when it ends in order: later starts take half the time.
            self._archive = self.folder / "classes.jsa"
        keep = [f"-XX:ArchiveClassesAtExit={self._archive}"] if self._archive else []
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                self._command(*keep, "kafka.Kafka", str(self._settings)),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                # An interrupt of the tests is not one of the broker: it is stopped in order.
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def said(self) -> str:
        """The last lines that it wrote."""
        path = self.folder / "said"
        return "\n".join(path.read_text(errors="replace").splitlines()[-8:])

    def end(self, signal_number: int, timeout_s: float = 30.0) -> None:
        """Send a signal and wait for the end; killed when it does not come."""
        if self._process is None:
            return
        self._process.send_signal(signal_number)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        else:
            self._keep_archive()

    def close(self) -> None:
        """It is not used again."""
        self.end(signal.SIGTERM if self._archive and self.running else signal.SIGKILL)

    def _keep_archive(self) -> None:
        if self._archive and self._archive.is_file():
            shutil.move(self._archive, archive().with_suffix(f".{os.getpid()}"))
            archive().with_suffix(f".{os.getpid()}").replace(archive())

    def _command(self, *arguments: str) -> Sequence[str]:
        options = [*self._machine.options, "-Dlog4j2.level=WARN", "-cp", classpath()]
        if archive().is_file():
            options.append(f"-XX:SharedArchiveFile={archive()}")
        return [java(), *options, *arguments]


def new_id() -> str:
    """An id as Kafka writes them."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
