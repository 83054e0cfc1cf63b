"""What a decision lets operators set: declared with its type, default and bounds.

InvalidSetting    a value that is not accepted: one line that names the setting and what is
"""

import math
import re
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from streams.broadcasts import Value

T = TypeVar("T", bool, int, float, str)

_WORDS = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


#: A decision's name, or that of several, and what is set of it.
_NAME = re.compile(r"[a-z][a-z0-9_-]*\.[a-z][a-z0-9_]*")


class InvalidSetting(ValueError):
    """Nothing is set."""


class Setting(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One setting. Its type is that of its default: bool, int, float or str."""

    #: Begins with the decision's name: `spikes.factor`.
    name: str
    default: T
    #: The bounds of a number, and of the length of a text.
    least: float
    most: float
    #: One sentence for the operator.
    about: str

    def read(self, text: str) -> T:
        """What an operator wrote, as a value. Raises InvalidSetting."""
        try:
            return self.check(self._parsed(text.strip()))
        except (KeyError, ValueError):
            raise InvalidSetting(f"{self.name}: {text!r} is not {self.accepted}") from None

    def check(self, value: Value) -> T:
        """A stored value, in the setting's own type. Raises InvalidSetting."""
        kind = type(self.default)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is kind and self._is_within(value):
            return value
        raise InvalidSetting(f"{self.name}: {value!r} is not {self.accepted}")

    @property
    def accepted(self) -> str:
        """Which values are, as words that follow "is not"."""
        match self.default:
            case bool():
                return "true or false"
            case int():
                return f"a whole number from {self.least:.15g} to {self.most:.15g}"
            case float():
                return f"a number from {self.least:.15g} to {self.most:.15g}"
            case _:
                return f"a text of {self.least:.0f} to {self.most:.0f} characters"

    def _parsed(self, text: str) -> Value:
        match self.default:
            case bool():
                return _WORDS[text.lower()]
            case int():
                return int(text)
            case float():
                return float(text)
            case _:
                return text

    def _is_within(self, value: Value) -> bool:
        if isinstance(value, bool):
            return True
        amount = len(value) if isinstance(value, str) else value
        return math.isfinite(amount) and self.least <= amount <= self.most


def check_settings(settings: Sequence[Setting[Any]]) -> None:
    """Raises ValueError where two that differ have one name, or a default is not accepted."""
    names = [setting.name for setting in settings]
    for setting in settings:
        if names.count(setting.name) > 1:
            raise ValueError(f"{setting.name} is declared in two ways")
        if not _NAME.fullmatch(setting.name):
            raise ValueError(f"{setting.name!r} is no name of a setting: decision.what")
        setting.check(setting.default)
