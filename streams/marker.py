"""A file of ours that outlives a database: that it was made, and how far it has come.

Without it nobody can tell a database that lost its files from one that was never there, and one
that lost its newest changes from one that never had them.
"""

from contextlib import suppress
from pathlib import Path


class Marker:
    """One a database. Reading and writing it never fails: without it only these checks are gone."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._noted: int | None = None

    @property
    def is_there(self) -> bool:
        return self.file.exists()

    def sequence(self) -> int:
        """The last change that was known to be on the disk; 0 where nothing is known."""
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
