"""The lines of a recording's files, compressed or not, in bounded memory.

Damaged    from this line on a file cannot be read
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import zstandard

#: A longer line is no row: the longest text of a post has some kilobytes.
LONGEST_LINE = 1 << 20
_BUFFER = 1 << 18


class Damaged(ValueError):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def lines_of(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Number, from 1, and bytes of every line that is not blank; None for one that is too long.

    Raises Damaged.
    """
    number = 0
    try:
        with _opened(path) as stream:
            while line := stream.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
                    _skip_rest(stream)
                    yield number, None
                elif line.strip():
                    yield number, line
    except (zstandard.ZstdError, OSError) as error:
        raise Damaged(number + 1, str(error)) from error


def _skip_rest(stream: BinaryIO) -> None:
    """To the end of the line."""
    while (rest := stream.readline(_BUFFER)) and not rest.endswith(b"\n"):
        pass


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        if path.suffix != ".zst":
            yield file
            return
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        yield io.BufferedReader(reader, _BUFFER)
