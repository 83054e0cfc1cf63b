"""Failures of commands: one line about what failed and what to do."""

from collections.abc import Iterator


class Failure(Exception):
    """Ends the process with exit code 1. The message is one line that says what to do."""


def expected() -> tuple[type[Exception], ...]:
    """The errors that a command reports in one line, wherever they were raised.

    Imports the stores only when an error occurred: commands without a store do not need them.
    """
    from clickhouse.history import HistoryError
    from control.store import ControlError
    from streams.log import LogError

    return Failure, LogError, HistoryError, ControlError


def line_of(error: BaseException) -> str:
    """The line for the person who started the command: what is wrong, then what to do."""
    said = " ".join(str(error).split()) or type(error).__name__
    advice = next(filter(None, map(_advice, _causes(error))), "")
    return f"{said}; {advice}" if advice and advice not in said else said


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _advice(error: BaseException) -> str:
    """Advice that the message lacks, because the code that raised it does not know the options."""
    from clickhouse.history import HistoryDamaged, HistoryInUse, HistoryUnavailable
    from control.store import ControlUnavailable
    from streams.log import LogDamaged, LogFull, LogInUse, LogUnavailable

    match error:
        case LogInUse() | HistoryInUse():
            return "stop it, or set another ANALYTICBOT_DATA"
        case LogDamaged() | HistoryDamaged():
            return "see Damage in docs/OPERATING.md"
        case LogFull():
            return "make room"
        case LogUnavailable():
            return "check that it is running and that ANALYTICBOT_LOG points to it"
        case HistoryUnavailable():
            return "check that it is running and that ANALYTICBOT_HISTORY points to it"
        case ControlUnavailable():
            return (
                "check that it can be reached and written and that ANALYTICBOT_CONTROL points to it"
            )
        case _:
            return ""
