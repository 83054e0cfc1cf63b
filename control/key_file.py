"""The key of one machine: a file beside the data, made at the first sealing."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from control.sealing import KEY_BYTES, KeyUnavailable, Sealer, parse_key


class KeyFile:
    """Implements control.sealing.Key. Looks for the file until it exists: it may be restored."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sealer: Sealer | None = None

    def to_open(self) -> Sealer | None:
        if self._sealer is None:
            self._sealer = self._read()
        return self._sealer

    def to_seal(self) -> Sealer:
        """Make the key. Concurrent processes all get the same one."""
        if self.to_open() is None:
            self._make()
        if (sealer := self.to_open()) is None:
            raise KeyUnavailable(f"{self._path}: was removed while it was being made: start again")
        return sealer

    def _read(self) -> Sealer | None:
        try:
            return Sealer(parse_key(self._path.read_text().strip()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyUnavailable(f"{self._path}: cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise KeyUnavailable(
                f"{self._path}: holds no key: put a copy of it back, or move it away and run "
                "`analyticbot login` again"
            ) from error

    def _make(self) -> None:
        """Write the file atomically: it gets its name once it is on the disk."""
        draft = self._path.with_name(f"{self._path.name}.{secrets.token_hex(8)}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(secrets.token_hex(KEY_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                self._path.hardlink_to(draft)
            _sync(self._path.parent)
        except OSError as error:
            raise KeyUnavailable(f"{self._path}: cannot be made: {error.strerror}") from error
        finally:
            draft.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Sync the folder: a power failure must not lose the key and keep what it sealed."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
