"""Finds the process that uses a history folder: the engine locks a file that names its pid."""

import re
from pathlib import Path

from clickhouse.history import HistoryInUse
from streams.file_lock import locked_text

_PID = re.compile(r"PID: (\d+)")


def check_free(folder: Path) -> None:
    """Raises HistoryInUse if a process uses the folder; the message names its pid, if known."""
    if (held := locked_text(folder / "status")) is not None:
        pid = _PID.search(held)
        holder = f"process {pid[1]}" if pid else "another process"
        raise HistoryInUse(f"history folder {folder} is in use by {holder}")
