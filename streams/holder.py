"""Whether a process has locked a file, and what it wrote there about itself."""

import fcntl
from pathlib import Path


def held_text(file: Path) -> str | None:
    """What is in the file while a process holds its lock; None while nobody does.

    The kernel releases the lock however that process ends, so what a dead one left does not count.
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
