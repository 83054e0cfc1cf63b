"""`analyticbot doctor`: the options in force, and whether every store is reachable and whole.

Changes nothing. Exit code 1 if a check fails.
"""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from analyticbot.config import OPTIONS, ConfigError, Settings
from analyticbot.modes import open_to_others
from analyticbot.preflight import check_credentials, check_port, look_at_folder

if TYPE_CHECKING:
    from analyticbot.installed import Decisions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds no arguments."""


async def run(options: argparse.Namespace, settings: Settings) -> int:
    # Its libraries take a second to load.
    from analyticbot.examination import Found, examine_control, examine_history, examine_log
    from analyticbot.installed import own

    for option in OPTIONS:
        print(f"{option.variable:24} {_shown(getattr(settings, option.field), option.secret)}")
    checks: dict[str, Callable[[], Any]] = {
        "data folder": lambda: look_at_folder(settings.data),
        "modes": lambda: _check_modes(settings),
        "port": lambda: check_port(settings.host, settings.port),
        "Telegram credentials": lambda: check_credentials(settings),
    }
    right = [_passes(name, check) for name, check in checks.items()]

    def tell(name: str, found: Found) -> None:
        says = f": {found.says}" if found.says else ""
        print(f"{'✓' if found.right else '✗'} {name}{says}", flush=True)
        right.append(found.right)

    known = _decisions(settings, right)
    found, log = await examine_log(settings, known or own())
    tell("log", found)
    tell("history", await examine_history(settings, log))
    tell("control", await examine_control(settings))
    return 0 if all(right) else 1


def _decisions(settings: Settings, right: list[bool]) -> "Decisions | None":
    """Prints the package of each installed decision; None if one is invalid."""
    from analyticbot.installed import decisions

    try:
        known = decisions(settings.without)
    except ConfigError as error:
        print(f"✗ decisions: {error}")
        right.append(False)
        return None
    for one in known.installed:
        print(f"✓ decision {one.decision.name}: {one}")
    for name in known.without:
        print(f"✓ decision {name}: left out")
    return known


def _shown(value: object, secret: bool) -> str:
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
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
    """Raises ConfigError if other users can access our files."""
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
