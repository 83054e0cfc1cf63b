"""The folder of a demo: removed at its end, and where that was not in order, by the next demo.

Its name says whose it is (``analyticbot-demo-PID-…``), and a locked file in it that somebody still
uses it: the lock goes with the process, however that ends.
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
    """A new one in `parent` (None: where temporary files are kept). Removes those of the dead."""
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
    """Those of this process's libraries: the engine of history writes each insertion to one."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def remove_abandoned(parent: Path) -> None:
    """Remove this user's folders that no living process uses."""
    for folder in sorted(parent.glob(f"{PREFIX}*")):
        # Gone meanwhile, or not this user's to look into.
        with suppress(OSError):
            if _is_own(folder) and _removed(folder):
                logger.info("demo_folder_removed", extra={"folder": str(folder)})


def _made(parent: Path) -> tuple[Path, int]:
    """A folder and its lock. Another demo may remove it between the two: then one more."""
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
        # Nothing else is made in it before the lock; one with anything in it is not ours.
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
    """The lock goes last: who is killed meanwhile leaves a folder that can still be told."""
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
