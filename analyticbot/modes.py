"""What is kept on disk is this user's alone, whatever the umask says.

New files are made so; those of an earlier version, or of a copy, are corrected at start.
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
#: What is kept in the data folder beside the stores, whose places are options.
_OURS = ("tables", "secret.key", "address.json", "telegram.session", "telegram.session.imported")
_BESIDE_SQLITE = ("", "-wal", "-shm", "-journal", ".made")


def keep_new_files_private() -> None:
    """For the whole process; the engines of log and history obey it too."""
    os.umask(_OTHERS)


def correct_modes(settings: Settings) -> None:
    """Close to others what is ours and open; say so once."""
    opened = [path for path in open_to_others(settings) if _closed(path)]
    if opened:
        fields = {"folder": str(settings.data), "paths": len(opened), "first": str(opened[0])}
        logger.warning("modes_corrected", extra=fields)


def open_to_others(settings: Settings) -> Iterator[Path]:
    """Files and folders of this user's that others may read, write or enter.

    What is in a folder comes before it. A folder that is closed to others is not looked into: they
    do not reach what is in it. The data folder itself only where nothing else is in it: it may be
    somebody's home.
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
    """The path and what is in it; links are not followed."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode) or not found.st_mode & _OTHERS:
            return
        inside = sorted(path.iterdir()) if stat.S_ISDIR(found.st_mode) else []
    except OSError:
        # It is gone, or another user's.
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
    """Whether it is closed now. What cannot be is said."""
    try:
        path.chmod(_FOLDER if path.is_dir() else _FILE)
    except FileNotFoundError:
        return False
    except OSError as error:
        fields = {"path": str(path), "reason": error.strerror}
        logger.warning("mode_not_corrected", extra=fields)
        return False
    return True
