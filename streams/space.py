"""The free space of the disk of a log or of tables, and the space that they need."""

import shutil
import time
from pathlib import Path

from streams.database import NoSpace

#: Below this nothing more is written: databases need some space for an orderly close.
NEEDED_BYTES = 64 << 20
#: The largest age of a measurement by which a log continues.
_FRESH_S = 1.0
#: RocksDB resumes some seconds after it has found this much.
_ENOUGH_BYTES = 16 << 20


class Space:
    """Any thread may ask."""

    def __init__(
        self, folder: Path, needed_bytes: int = NEEDED_BYTES, *, holds: str = "log"
    ) -> None:
        """`holds`: the content of the folder, as named in errors."""
        self._folder = folder
        self._holds = holds
        self._needed_bytes = needed_bytes
        self._checked_s = float("-inf")

    def check(self) -> None:
        """Raises NoSpace while there is too little space. Measures at most once per second."""
        now_s = time.monotonic()
        if now_s - self._checked_s >= _FRESH_S:
            if shortage := self.shortage():
                raise NoSpace(shortage)
            self._checked_s = now_s

    def shortage(self) -> str:
        """The shortage and what to do; empty if there is enough space."""
        free = self._free_bytes()
        if free >= self._needed_bytes:
            return ""
        return (
            f"{self._holds} in {self._folder}: {free >> 20} MiB are free on its disk, "
            f"{self._needed_bytes >> 20} MiB are needed: make room"
        )

    def suffices(self) -> bool:
        """Whether a database that ran out of space should resume."""
        return self._free_bytes() >= max(self._needed_bytes, _ENOUGH_BYTES)

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._folder).free
