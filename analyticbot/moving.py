"""The observations of an embedded log that nobody uses any more, into the configured one."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from analyticbot.config import ConfigError, Settings
from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import SCHEME, path_of
from streams.log import Log
from streams.sources.moved_log import Moved, move


def holds_log(folder: Path) -> bool:
    """Whether it is the folder of an embedded log."""
    return (folder / "rocksdb").is_dir()


def check_is_another(folder: Path, settings: Settings) -> None:
    """A log must not be moved into itself. Raises ConfigError."""
    if settings.log.startswith(f"{SCHEME}:") and path_of(settings.log).resolve() == folder:
        raise ConfigError(
            f"{folder} is the log that is configured: say in ANALYTICBOT_LOG where it moves to"
        )


async def move_from(folder: Path, target: Log, progress: Callable[[Moved], None]) -> Moved:
    """`folder`: resolved. Raises LogError: LogInUse while another process has it."""
    identity = hashlib.sha256(str(folder).encode()).hexdigest()[:32]
    source = await EmbeddedLog.open(folder)
    try:
        return await move(source, target, f"log-{identity}", progress)
    finally:
        await source.close()
