"""Whether a process holds the lock of a file, and what it wrote into that file about itself."""

import fcntl
from pathlib import Path


def locked_text(file: Path) -> str | None:
    """The content of the file while a process holds its lock, else None.

    The kernel releases the lock however that process ends, so what a dead process left is ignored.
    """
    try:
        with file.open(errors="replace") as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return opened.read()
    except OSError:
        pass
    return None
