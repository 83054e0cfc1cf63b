"""The port of every online model: it predicts, then learns, one example at a time.

A model reads no clock, and its state is plain data that a row of a decision holds.

InvalidState    a state that the model cannot have written
"""

from collections.abc import Mapping
from typing import Protocol, TypeAlias, TypeVar

import msgspec

#: What is known of one example, by name. An absent feature and one that is None are unknown.
Features: TypeAlias = Mapping[str, float | None]
State = TypeVar("State", bound=msgspec.Struct, covariant=True)


class InvalidState(Exception):
    """A state that does not fit its model: it was damaged, or another model wrote it."""


class Model(Protocol[State]):
    """One model. The order of `x` and names that the model does not know change nothing.

    A model is made new, or from a state, which may raise InvalidState. Two models with equal states
    predict and learn the same, to the last bit on one kind of processor.
    """

    def predict_one(self, x: Features) -> float | None:
        """The prediction, which is finite, in the unit of `y`; None without enough data.

        Changes neither `x` nor the model.
        """

    def learn_one(self, x: Features, y: float) -> None:
        """Learn that `x` came to `y`. Does not change `x`. An example without use is skipped."""

    def state(self) -> State:
        """All that the model knows, of bounded size; a copy, which later examples do not change."""
