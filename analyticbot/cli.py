"""The command line. Exit codes: 0 done, 1 failed, 2 wrong use."""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol, cast

from analyticbot import __version__
from analyticbot.config import ConfigError, Settings, read_settings, secrets_of
from analyticbot.descriptors import raise_descriptors
from analyticbot.failure import expected, line_of
from analyticbot.flags import Parser, flags_of
from analyticbot.logs import set_up_logs
from analyticbot.memory import tune_memory
from analyticbot.modes import correct_modes, keep_new_files_private
from analyticbot.redacting import Redactor

#: Each command is a module of analyticbot.commands, imported only when the command runs.
COMMANDS: Mapping[str, str] = {
    "demo": "recorded channels, live, with no account: the whole system on 127.0.0.1",
    "up": "run everything in one process: collector, agents, history, page, bot",
    "collect": "one role of a cluster: observe channels with free Telegram accounts",
    "work": "one role of a cluster: run the agents and write history",
    "serve": "one role of a cluster: page, REST and sockets; also to inspect embedded state",
    "bot": "one role of a cluster: the Telegram bot; further ones are standbys",
    "login": "sign in to Telegram with your phone (asks for number and code)",
    "follow": "follow channels: @username, t.me link or id",
    "unfollow": "stop following channels (their history stays)",
    "channels": "list the followed channels with their account and status",
    "settings": "list, set and unset the settings of decisions, for all channels or for one",
    "accounts": "list the Telegram accounts, the processes that use them, and their faults",
    "replay": "write a recording into the log; ends when all of it is in history",
    "rebuild": "rebuild history, or the tables of a decision, from the log",
    "migrate": "create the topics and bring the schemas up to date",
    "doctor": "print the options in force and check every store",
    "topology": "print the pipeline: topics in, agents, tables, topics out",
}

#: Commands that must not change the operator's data.
_LOOKING = ("demo", "doctor", "topology")


class Command(Protocol):
    """A module of analyticbot.commands; `DEFAULTS` overrides defaults of options, by variable."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: argparse.Namespace, settings: Settings) -> Awaitable[int]: ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    redact = Redactor()
    try:
        settings = read_settings(flags=flags_of(options), defaults=options.defaults)
        redact = Redactor(secrets_of(settings))
        about = {"role": options.command, "instance": settings.instance or ""}
        set_up_logs(settings.log_level, settings.log_format, **about, redact=redact)
        tune_memory()
        keep_new_files_private()
        if options.command not in _LOOKING:
            correct_modes(settings)
        raise_descriptors()
        return int(asyncio.run(options.run(options, settings)))
    except ConfigError as error:
        return _fail(redact(str(error)), 2)
    except expected() as error:
        return _fail(redact(line_of(error)), 1)
    except KeyboardInterrupt:
        return 130


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser(prog="analyticbot", description="Real-time analytics for Telegram channels.")
    parser.add_argument("--version", action="version", version=f"analyticbot {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for name, meaning in COMMANDS.items():
        added = commands.add_parser(name, help=meaning, description=_sentence(meaning))
        if name == wanted:
            command = cast(Command, importlib.import_module(f"analyticbot.commands.{name}"))
            command.add_arguments(added)
            added.set_defaults(run=command.run, command=name)
            added.set_defaults(defaults=getattr(command, "DEFAULTS", {}))
    return parser.parse_args(arguments)


def _sentence(meaning: str) -> str:
    return f"{meaning[0].upper()}{meaning[1:]}."


def _fail(error: str, code: int) -> int:
    print(f"analyticbot: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
