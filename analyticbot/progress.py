"""The progress of long work on a terminal; silent on other streams."""

from types import TracebackType
from typing import Self, TextIO


class Progress:
    """One line, overwritten by each call and erased at the end of the block."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._visible = stream.isatty()

    def show(self, doing: str, done: int, total: int) -> None:
        share = done / total if total else 1.0
        self.say(f"{doing}: {done} of {total} ({share:.0%})")

    def say(self, text: str) -> None:
        if self._visible:
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.say("")
