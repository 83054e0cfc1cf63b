"""The command line. Exit codes: 0 done, 1 failed, 2 wrong use."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Sequence
from types import ModuleType
from typing import Protocol, cast

from analyticbot import __version__
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
from analyticbot.config import ConfigError, Settings, read_settings
from analyticbot.failure import Failure
from analyticbot.logs import set_up_logs


class Command(Protocol):
    """What a module of analyticbot.commands gives."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: argparse.Namespace, settings: Settings) -> Awaitable[int]: ...


_MODULES: tuple[ModuleType, ...] = (
    demo, up, login, follow, unfollow, replay, migrate, doctor, topology,
)  # fmt: skip
#: In the order in which `--help` lists them.
COMMANDS = cast(tuple[Command, ...], _MODULES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings()
        set_up_logs(settings.log_level)
        return int(asyncio.run(options.run(options, settings)))
    except ConfigError as error:
        return _fail(error, 2)
    except Failure as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="analyticbot", description="Real-time analytics for Telegram channels."
    )
    parser.add_argument("--version", action="version", version=f"analyticbot {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        added = commands.add_parser(command.NAME, help=command.HELP, description=command.HELP)
        command.add_arguments(added)
        added.set_defaults(run=command.run)
    return parser


def _fail(error: Exception, code: int) -> int:
    print(f"analyticbot: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
