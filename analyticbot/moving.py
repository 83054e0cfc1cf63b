"""Copies the observations of a log that is no longer in use into the configured one."""

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
    """The URL of the log that `source` names: the folder of an embedded log, or a Kafka URL.

    None if `source` is no log. Raises ConfigError.
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
    """Raises ConfigError if `url` is the configured log: a log must not be copied into itself."""
    if _place(url) & _place(settings.log):
        raise ConfigError(
            "source and destination are the same log: set ANALYTICBOT_LOG to the destination"
        )


async def move_from(url: str, target: Log, progress: Callable[[Moved], None]) -> Moved:
    """See streams.sources.moved_log.move. Raises LogError: LogInUse if the source is in use."""
    identity = hashlib.sha256(" ".join(sorted(_place(url))).encode()).hexdigest()[:32]
    source = await open_log(url)
    try:
        return await move(source, target, f"log-{identity}", progress)
    finally:
        await source.close()


def _place(url: str) -> frozenset[str]:
    """The folder or the brokers of a log. Logs that share one are the same."""
    if url.startswith(f"{KAFKA}:"):
        return frozenset(settings_of(url).servers)
    return frozenset((str(path_of(url).resolve()),))
