"""Which process has a history folder: ClickHouse's engine locks a file in it, and names itself."""

import re
from pathlib import Path

from clickhouse.history import HistoryInUse
from streams.holder import held_text

_PID = re.compile(r"PID: (\d+)")


def check_free(folder: Path) -> None:
    """Raises HistoryInUse, naming the process that has it."""
    if (held := held_text(folder / "status")) is not None:
        pid = _PID.search(held)
        holder = f"process {pid[1]}" if pid else "another process"
        raise HistoryInUse(f"history folder {folder} is in use by {holder}")
