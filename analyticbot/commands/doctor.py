"""`analyticbot doctor`: what is configured, and whether it can be reached."""

import argparse
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from analyticbot.config import OPTIONS, ConfigError, Settings
from analyticbot.failure import Failure
from analyticbot.modes import open_to_others
from analyticbot.preflight import check_credentials, check_folder, check_port
from analyticbot.stores import opened_control, opened_history, opened_log


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


async def run(options: argparse.Namespace, settings: Settings) -> int:
    for option in OPTIONS:
        print(f"{option.variable:24} {_shown(getattr(settings, option.field), option.secret)}")
    checks: dict[str, Callable[[], Any]] = {
        "data folder": lambda: check_folder(settings.data),
        "modes": lambda: _check_modes(settings),
        "port": lambda: check_port(settings.host, settings.port),
        "Telegram credentials": lambda: check_credentials(settings),
    }
    wrong = [not _passes(name, check) for name, check in checks.items()]
    for name, opened in (
        ("log", opened_log(settings)),
        ("history", opened_history(settings)),
        ("control", opened_control(settings)),
    ):
        wrong.append(not await _opens(name, opened))
    return 1 if any(wrong) else 0


def _shown(value: object, secret: bool) -> str:
    if value is None or value == "":
        return "not set"
    if secret:
        return "set"
    parts = urlsplit(str(value))
    if parts.password:
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{parts.username}:…@{host}"))
    return str(value)


def _check_modes(settings: Settings) -> None:
    """Nobody else can read what is kept. Raises ConfigError."""
    if found := list(open_to_others(settings)):
        raise ConfigError(
            f"{len(found)} files and folders are open to other users, such as {found[0]}: the next "
            "start closes them"
        )


def _passes(name: str, check: Callable[[], Any]) -> bool:
    try:
        check()
    except ConfigError as error:
        print(f"✗ {name}: {error}")
        return False
    print(f"✓ {name}")
    return True


async def _opens(name: str, opened: AbstractAsyncContextManager[Any]) -> bool:
    try:
        async with opened:
            print(f"✓ {name}")
            return True
    except (Failure, ConfigError) as error:
        print(f"✗ {name}: {error}")
        return False
