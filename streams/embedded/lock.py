"""One process per log: a locked file beside the database that names the process."""

import fcntl
import os
from pathlib import Path

from streams.log import LogError, LogInUse


class ProcessLock:
    """Locked from construction until `release`, or until the process ends, however it ends."""

    def __init__(self, file: Path) -> None:
        """Does not wait. Raises LogInUse, which names the locking process, or LogError."""
        try:
            self._fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LogError(f"log in {file.parent} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._fd, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            raise LogInUse(f"log in {file.parent} is in use by process {holder}") from error
        self._before = os.pread(self._fd, 32, 0)
        self._write(b"%d\n" % os.getpid())

    def put_back(self) -> None:
        """Restore the file's previous content and release the lock.

        For an owner that could not open the log.
        """
        self._write(self._before)
        self.release()

    def release(self) -> None:
        """Release the lock; call it once.

        The file stays: removing it would let two processes lock two files of one name.
        """
        os.close(self._fd)

    def _write(self, content: bytes) -> None:
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, content, 0)
