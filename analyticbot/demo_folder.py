"""The folder of a demo: removed at its end, or by the next demo after a killed one.

Its name contains the process (``analyticbot-demo-PID-…``). A locked file in it marks it as in use;
the lock ends with the process, however the process ends.
"""

import fcntl
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

logger = logging.getLogger(__name__)

PREFIX = "analyticbot-demo-"
LOCK = "in-use"


@contextmanager
def demo_folder(parent: Path | None = None) -> Iterator[Path]:
    """A new folder in `parent` (None: the folder of temporary files). Removes abandoned ones."""
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    remove_abandoned(parent)
    folder, lock = _made(parent)
    try:
        yield folder
    finally:
        try:
            _remove(folder)
        except OSError as error:
            fields = {"folder": str(folder), "reason": str(error)}
            logger.warning("demo_folder_left", extra=fields)
        os.close(lock)


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Moves the temporary files of libraries: the engine of history writes one per insertion."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def remove_abandoned(parent: Path) -> None:
    """Removes this user's demo folders that no running process uses."""
    for folder in sorted(parent.glob(f"{PREFIX}*")):
        # Removed meanwhile, or not readable by this user.
        with suppress(OSError):
            if _is_own(folder) and _removed(folder):
                logger.info("demo_folder_removed", extra={"folder": str(folder)})


def _made(parent: Path) -> tuple[Path, int]:
    """A new folder and its lock. Retries if another demo removes the folder before the lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
        with suppress(FileNotFoundError):
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _locked(lock) and (folder / LOCK).exists():
                return folder, lock
            os.close(lock)


def _removed(folder: Path) -> bool:
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        # The lock is the first file of a demo; a folder with other content is not ours.
        folder.rmdir()
        return True
    try:
        if not _locked(lock):
            return False
        _remove(folder)
        return True
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    """Removes the lock last, so that a folder left by a killed process is still recognised."""
    for path in folder.iterdir():
        if path.name == LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    shutil.rmtree(folder)


def _is_own(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
