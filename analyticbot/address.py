"""Where the process that holds a data folder answers, for commands beside it.

A file in the folder says so while the process runs. It may be left by one that was killed, so it
counts only while a process of that number is there.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

logger = logging.getLogger(__name__)

_NAME = "address.json"


class Address(msgspec.Struct, frozen=True):
    pid: int
    url: str


@contextmanager
def announced(folder: Path, url: str) -> Iterator[None]:
    """The file is there within the block, if it can be written."""
    path = folder / _NAME
    try:
        _write(path, Address(os.getpid(), url))
    except OSError as error:
        logger.warning("address_not_written", extra={"file": str(path), "reason": error.strerror})
    try:
        yield
    finally:
        known = _read(path)
        if known and known.pid == os.getpid():
            path.unlink(missing_ok=True)


def address_in(folder: Path) -> str | None:
    """The URL of a process that lives; None where there is none."""
    known = _read(folder / _NAME)
    return known.url if known and _lives(known.pid) else None


def _write(path: Path, address: Address) -> None:
    draft = path.with_suffix(f".{address.pid}")
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.encode(address))
    draft.replace(path)


def _read(path: Path) -> Address | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Address)
    except (OSError, msgspec.DecodeError):
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
