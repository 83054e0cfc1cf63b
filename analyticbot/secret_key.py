"""The key that seals secrets at rest: the operator's option, or a file of this machine."""

from pathlib import Path

from analyticbot.config import ConfigError, Settings
from control.key_file import KeyFile
from control.sealing import GivenKey, Key, NoKey, parse_key
from streams.kafka.settings import SCHEME as KAFKA

ADVICE = (
    "ANALYTICBOT_SECRET_KEY: not set; every host that uses this control store needs the same key: "
    "make one with `openssl rand -hex 32`, or give the file secret.key of the machine before"
)


def key_of(settings: Settings) -> Key:
    """The configured key; without one, the file `secret.key` in the data folder on a single host.

    NoKey, whose use fails, where several hosts may share the control store.
    """
    if settings.secret_key:
        return GivenKey(parse_key(settings.secret_key))
    if _is_shared(settings):
        return NoKey(ADVICE)
    return KeyFile(key_path(settings))


def key_path(settings: Settings) -> Path:
    return settings.data / "secret.key"


def check_secret_key(settings: Settings) -> None:
    """Raises ConfigError if several hosts may share the control store and no key is configured."""
    if _is_shared(settings) and not settings.secret_key:
        raise ConfigError(ADVICE)


def _is_shared(settings: Settings) -> bool:
    """Whether several hosts may use the control store."""
    return not settings.control.startswith("sqlite:") or settings.log.startswith(f"{KAFKA}:")
