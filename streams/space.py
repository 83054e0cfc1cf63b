"""How much room the disk of a log or of tables has, and how much they need."""

import shutil
import time
from pathlib import Path

from streams.database import NoSpace

#: Less room than this and nothing more is written: the databases need some to be closed in order.
NEEDED_BYTES = 64 << 20
#: So old may an answer be by which a log goes on.
_FRESH_S = 1.0
#: RocksDB goes on by itself, some seconds after it has found as much as this.
_ENOUGH_BYTES = 16 << 20


class Space:
    """Any thread may ask."""

    def __init__(
        self, folder: Path, needed_bytes: int = NEEDED_BYTES, *, holds: str = "log"
    ) -> None:
        """`holds` is what the folder has, as errors call it."""
        self._folder = folder
        self._holds = holds
        self._needed_bytes = needed_bytes
        self._checked_s = float("-inf")

    def check(self) -> None:
        """Raises NoSpace while there is too little. Looks at most once a second."""
        now_s = time.monotonic()
        if now_s - self._checked_s >= _FRESH_S:
            if shortage := self.shortage():
                raise NoSpace(shortage)
            self._checked_s = now_s

    def shortage(self) -> str:
        """What is missing now, and what to do; empty where there is enough."""
        free = self._free_bytes()
        if free >= self._needed_bytes:
            return ""
        return (
            f"{self._holds} in {self._folder}: {free >> 20} MiB are free on its disk, "
            f"{self._needed_bytes >> 20} MiB are needed: make room"
        )

    def suffices(self) -> bool:
        """Whether a database that ran out of space can be expected to go on."""
        return self._free_bytes() >= max(self._needed_bytes, _ENOUGH_BYTES)

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._folder).free
