"""Keeps the files on disk private to this user, whatever the umask is.

New files are created private; files of an earlier version or a copy are corrected at start.
"""

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from analyticbot.config import Settings
from control.opening import file_of
from streams.embedded.settings import SCHEME as EMBEDDED
from streams.embedded.settings import path_of

logger = logging.getLogger(__name__)

_OTHERS = 0o077
_FOLDER, _FILE = 0o700, 0o600
#: The content of the data folder apart from the stores, whose locations are options.
_OURS = ("tables", "secret.key", "address.json", "telegram.session", "telegram.session.imported")
_BESIDE_SQLITE = ("", "-wal", "-shm", "-journal", ".made")


def keep_new_files_private() -> None:
    """Sets the umask of the whole process, which the engines of log and history follow too."""
    os.umask(_OTHERS)


def correct_modes(settings: Settings) -> None:
    """Removes other users' access to our files; logs one warning if there was any."""
    opened = [path for path in open_to_others(settings) if _closed(path)]
    if opened:
        fields = {"folder": str(settings.data), "paths": len(opened), "first": str(opened[0])}
        logger.warning("modes_corrected", extra=fields)


def open_to_others(settings: Settings) -> Iterator[Path]:
    """Our files and folders that other users may read, write or enter.

    The content of a folder comes before the folder. Skips the content of a closed folder, which
    others cannot reach. Includes the data folder only if everything in it is ours: it may be a home
    folder.
    """
    ours = {path for path in _kept(settings) if path.exists()}
    if settings.data.is_dir() and set(settings.data.iterdir()) <= ours and _is_open(settings.data):
        yield settings.data
    for path in sorted(ours):
        yield from _open_in(path)


def _kept(settings: Settings) -> Iterator[Path]:
    data = settings.data
    yield from (data / name for name in _OURS)
    if settings.log.startswith(f"{EMBEDDED}:"):
        yield path_of(settings.log)
    history = urlsplit(settings.history)
    if history.scheme == "chdb":
        yield Path(unquote(history.path))
    if control := file_of(settings.control):
        yield from (control.with_name(control.name + end) for end in _BESIDE_SQLITE)


def _open_in(path: Path) -> Iterator[Path]:
    """The path and its content, as far as they are open; does not follow links."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode) or not found.st_mode & _OTHERS:
            return
        inside = sorted(path.iterdir()) if stat.S_ISDIR(found.st_mode) else []
    except OSError:
        # Removed meanwhile, or another user's.
        inside = []
    for one in inside:
        yield from _open_in(one)
    if _is_open(path):
        yield path


def _is_open(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    is_ours = found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode)
    return is_ours and bool(found.st_mode & _OTHERS)


def _closed(path: Path) -> bool:
    """Whether the path is closed now. Logs a warning if it cannot be closed."""
    try:
        path.chmod(_FOLDER if path.is_dir() else _FILE)
    except FileNotFoundError:
        return False
    except OSError as error:
        fields = {"path": str(path), "reason": error.strerror}
        logger.warning("mode_not_corrected", extra=fields)
        return False
    return True
