"""What other users of the machine could read."""

import stat
from collections.abc import Sequence
from pathlib import Path


def open_to_others(folder: Path) -> Sequence[str]:
    """The folder and all that is in it, with their modes, where they are not the owner's alone.

    A link has no mode of its own.
    """
    paths = [path for path in (folder, *folder.rglob("*")) if not path.is_symlink()]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in paths}
    return [f"{mode:o} {path}" for path, mode in sorted(modes.items()) if mode & 0o077]
