"""A file beside a database that records that it was made, and how far it got.

Without it a database that lost its files looks like one that never existed, and one that lost its
newest changes like one that never had them.
"""

from contextlib import suppress
from pathlib import Path


class Marker:
    """One per database. Reading and writing never fail: without it only these checks are lost."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._noted: int | None = None

    @property
    def is_there(self) -> bool:
        return self.file.exists()

    def sequence(self) -> int:
        """The last change known to be on the disk; 0 if unknown."""
        try:
            return int(self.file.read_text())
        except (OSError, ValueError):
            return 0

    def note(self, sequence: int) -> None:
        """`sequence` must be on the disk already: a database that has less is called damaged."""
        if sequence == self._noted or sequence == self.sequence():
            return
        written = self.file.with_name(f"{self.file.name}.new")
        with suppress(OSError):
            written.write_text(f"{sequence}\n")
            written.replace(self.file)
            self._noted = sequence
