"""A disk that is full: a small one of its own, or files that may not grow."""

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: A process that finds it in its environment cannot make files larger than this.
LIMIT = "FAULTS_FILE_BYTES"


class Disk:
    """Holds `folder`. With less room than a worker needs, until `make_room`."""

    def __init__(self, folder: Path, ballast: Path | None) -> None:
        self.folder = folder
        self._ballast = ballast

    def fill(self, leave: int = 0) -> None:
        """To the last page, or so far; where files are only limited nothing is to be done."""
        if self._ballast is not None:
            with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
                while shutil.disk_usage(self.folder).free > leave:
                    file.write(b"\0" * 4096)

    def make_room(self) -> None:
        if self._ballast is not None:
            self._ballast.unlink()
        else:
            del os.environ[LIMIT]


@contextmanager
def small_disk(folder: Path, size: int, room: int, file_bytes: int | None = None) -> Iterator[Disk]:
    """A disk of `size` bytes with `room` left of it.

    Where nothing may be mounted, no file of the processes that are started may be larger than
    `file_bytes`; without that the test skips.
    """
    folder.mkdir()
    if not _mounted(folder, size):
        if file_bytes is None:
            pytest.skip("no disk can be mounted here")
        os.environ[LIMIT] = str(file_bytes)
        try:
            yield Disk(folder, None)
        finally:
            os.environ.pop(LIMIT, None)
        return
    try:
        ballast = folder / "ballast"
        with ballast.open("wb") as file:
            file.write(b"\0" * (shutil.disk_usage(folder).free - room))
        yield Disk(folder, ballast)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mounted(folder: Path, size: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def obey_limit() -> None:
    """For programs that tests start: what cannot be mounted is limited so."""
    with contextlib.suppress(KeyError):
        most = int(os.environ[LIMIT])
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
