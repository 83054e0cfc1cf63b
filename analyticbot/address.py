"""The address of the process that uses a data folder, for commands beside it.

A file in the folder contains the address; the process keeps it locked while it runs. A killed
process leaves the file unlocked, and an unlocked file does not count. A process id would not do: in
containers, every process may have the same one.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from streams.file_lock import locked_text

logger = logging.getLogger(__name__)

_NAME = "address.json"


class Address(msgspec.Struct, frozen=True):
    pid: int
    url: str


@contextmanager
def announced(folder: Path, url: str) -> Iterator[None]:
    """The file exists within the block; if it cannot be written, a warning is logged."""
    path, lock = folder / _NAME, None
    try:
        lock = _write(path, Address(os.getpid(), url))
    except OSError as error:
        logger.warning("address_not_written", extra={"file": str(path), "reason": error.strerror})
    try:
        yield
    finally:
        if lock is not None:
            with suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), os.fstat(lock)):
                    path.unlink()
            os.close(lock)


def address_in(folder: Path) -> str | None:
    """The URL of the running process; None if there is none. Does not raise."""
    held = locked_text(folder / _NAME)
    try:
        return None if held is None else msgspec.json.decode(held, type=Address).url
    except msgspec.DecodeError:
        return None


def _write(path: Path, address: Address) -> int:
    """Creates the file, locked before it is visible. Closing the result releases the lock."""
    draft = path.with_suffix(f".{address.pid}")
    lock = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(lock, msgspec.json.encode(address))
        draft.replace(path)
    except BaseException:
        os.close(lock)
        draft.unlink(missing_ok=True)
        raise
    return lock
