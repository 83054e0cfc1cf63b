"""The observations of a log that nobody uses any more, into the configured one."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from analyticbot.config import ConfigError, Settings
from streams.embedded.settings import SCHEME as EMBEDDED
from streams.embedded.settings import path_of
from streams.kafka.settings import SCHEME as KAFKA
from streams.kafka.settings import WrongKafkaUrl, settings_of
from streams.log import Log
from streams.opening import open_log
from streams.sources.moved_log import Moved, move


def log_in(source: str) -> str | None:
    """The URL of the log that it names: the folder of an embedded one, or Kafka's. None: no log.

    Raises ConfigError.
    """
    if source.startswith(f"{KAFKA}:"):
        try:
            settings_of(source)
        except WrongKafkaUrl as error:
            raise ConfigError(str(error)) from error
        return source
    folder = Path(source).resolve()
    return f"{EMBEDDED}://{folder}" if (folder / "rocksdb").is_dir() else None


def check_is_another(url: str, settings: Settings) -> None:
    """A log must not be moved into itself. Raises ConfigError."""
    if _place(url) & _place(settings.log):
        raise ConfigError(
            "source and destination are the same log: set ANALYTICBOT_LOG to the destination"
        )


async def move_from(url: str, target: Log, progress: Callable[[Moved], None]) -> Moved:
    """Raises LogError: LogInUse while another process has an embedded log."""
    identity = hashlib.sha256(" ".join(sorted(_place(url))).encode()).hexdigest()[:32]
    source = await open_log(url)
    try:
        return await move(source, target, f"log-{identity}", progress)
    finally:
        await source.close()


def _place(url: str) -> frozenset[str]:
    """A folder, or brokers. Logs that share one are the same."""
    if url.startswith(f"{KAFKA}:"):
        return frozenset(settings_of(url).servers)
    return frozenset((str(path_of(url).resolve()),))
