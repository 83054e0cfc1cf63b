"""The parser of the command line, its options that set configuration, and its number types.

An option that sets configuration has the variable's name as its `dest`; it wins over the
environment.
"""

import argparse
import math
from collections.abc import Mapping
from typing import Literal, NoReturn

#: Options of the command line, by variable.
_FLAGS = {
    "ANALYTICBOT_HOST": "--host",
    "ANALYTICBOT_PORT": "--port",
    "ANALYTICBOT_LOG_LEVEL": "--verbose",
}
FASTEST = 100_000.0


class Parser(argparse.ArgumentParser):
    """Reports wrong use in one line, which refers to `--help` for the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"analyticbot: {message}; see `{self.prog} --help`\n")


def add_listening(parser: argparse.ArgumentParser) -> None:
    """Adds `--host` and `--port`. `read_settings` validates them with the other options."""
    parser.add_argument(
        "--host",
        dest="ANALYTICBOT_HOST",
        metavar="ADDRESS",
        help="the address to listen on (default: ANALYTICBOT_HOST, else 127.0.0.1)",
    )
    parser.add_argument(
        "--port",
        dest="ANALYTICBOT_PORT",
        metavar="N",
        help="the port to listen on, 0 for a free one (default: ANALYTICBOT_PORT, else 8000)",
    )


def flags_of(options: argparse.Namespace) -> Mapping[str, tuple[str, str]]:
    """The options present on the command line, by variable: the option's name and its text."""
    given = {variable: getattr(options, variable, None) for variable in _FLAGS}
    return {
        variable: (_FLAGS[variable], text) for variable, text in given.items() if text is not None
    }


def speed(text: str) -> float:
    """Raises argparse.ArgumentTypeError."""
    number = _number(text)
    if number is None or number > FASTEST:
        raise argparse.ArgumentTypeError(
            f"{text!r} is invalid: use a number above 0, at most {FASTEST:.0f}"
        )
    return number


def speed_or_max(text: str) -> float | Literal["max"]:
    """Raises argparse.ArgumentTypeError."""
    if text == "max":
        return "max"
    number = _number(text)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text!r} is invalid: use a number above 0, or max")
    return number


def duration_s(text: str) -> float:
    """Raises argparse.ArgumentTypeError."""
    number = _number(text)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text!r} is invalid: use seconds, above 0")
    return number


def _number(text: str) -> float | None:
    """A finite number above 0, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
