"""The commands, in the order in which `--help` lists them. Each is one file."""

import argparse
from collections.abc import Awaitable
from types import ModuleType
from typing import Protocol, cast

from analyticbot.commands import (
    demo,
    doctor,
    follow,
    login,
    migrate,
    replay,
    topology,
    unfollow,
    up,
)
from analyticbot.config import Settings


class Command(Protocol):
    """What a module of this package gives."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: argparse.Namespace, settings: Settings) -> Awaitable[int]: ...


_MODULES: tuple[ModuleType, ...] = (
    demo, up, login, follow, unfollow, replay, migrate, doctor, topology,
)  # fmt: skip
COMMANDS = cast(tuple[Command, ...], _MODULES)
