"""River's Bayesian linear regression over a fixed set of features. River is imported here alone.

It costs a process about 0.9 s to import and 75 MB of memory, because of SciPy. So no module that
every process loads imports this one, directly or through another.
"""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from river.linear_model import BayesianLinearRegression

from agents.models.model import Features, InvalidState

_CONSTANT = "constant"


class LinearState(msgspec.Struct, frozen=True, array_like=True):
    """What a Linear has learned. Matrices are row by row; the constant is the first feature."""

    learned: int = 0
    #: The mean of each feature over the examples in which it was known, and their number.
    means: list[float] = []
    known: list[int] = []
    precision: list[float] = []
    covariance: list[float] = []
    #: The precision times the weights.
    moments: list[float] = []


class Linear:
    """Implements Model: y = constant + weights x features, by River's BayesianLinearRegression.

    Good at few features in a space where they add up, such as logarithms, and after a few examples:
    the prior draws weights to zero. Bad at outliers (one that is ten times off is learned as any
    other) and at weights that change, for it never forgets. Features are not scaled: they should be
    of about the size of 1. An unknown feature is taken at its mean so far.

    About 12 us to learn and 3 us to predict, with 3 features. A prediction has the unit of y.
    Source: River 0.26; C. Bishop, Pattern Recognition and Machine Learning, section 3.3.
    """

    def __init__(
        self, features: Sequence[str], state: LinearState | None = None, *, noise: float = 0.3
    ) -> None:
        """`noise` is the expected standard deviation of y around its prediction.

        Raises InvalidState.
        """
        self._features = tuple(features)
        # Its precision and covariance begin as 1 / alpha both, so that only 1 makes sense.
        self._river: Any = BayesianLinearRegression(alpha=1, beta=1 / noise**2)
        # All at once: so its arrays have the same size however they come to be, and sums the same
        # rounding.
        self._river._ensure_features((_CONSTANT, *self._features))
        self._river._m_dirty = True
        self._learned = 0
        self._means = [0.0] * len(self._features)
        self._known = [0] * len(self._features)
        if state is not None and state.learned:
            self._restore(state)

    @property
    def learned(self) -> int:
        """The number of examples."""
        return self._learned

    def predict_one(self, x: Features) -> float:
        return float(self._river.predict_one(self._filled(x)))

    def learn_one(self, x: Features, y: float) -> None:
        for at, name in enumerate(self._features):
            value = x.get(name)
            if value is not None:
                self._known[at] += 1
                self._means[at] += (value - self._means[at]) / self._known[at]
        self._river.learn_one(self._filled(x), y)
        self._learned += 1

    def state(self) -> LinearState:
        size = len(self._features) + 1
        return LinearState(
            self._learned,
            [*self._means],
            [*self._known],
            self._river._ss_arr[:size, :size].ravel().tolist(),
            self._river._ss_inv_arr[:size, :size].ravel().tolist(),
            self._river._eta_arr[:size].tolist(),
        )

    def _filled(self, x: Features) -> dict[str, float]:
        filled = {_CONSTANT: 1.0}
        for name, mean in zip(self._features, self._means, strict=True):
            value = x.get(name)
            filled[name] = mean if value is None else value
        return filled

    def _restore(self, state: LinearState) -> None:
        size = len(self._features) + 1
        if len(state.means) != size - 1 or len(state.known) != size - 1:
            raise InvalidState(f"a state of {len(state.means)} features, expected {size - 1}")
        self._river._ss_arr[:size, :size] = _array(state.precision, (size, size))
        self._river._ss_inv_arr[:size, :size] = _array(state.covariance, (size, size))
        self._river._eta_arr[:size] = _array(state.moments, (size,))
        self._learned = state.learned
        self._means, self._known = _finite(state.means), [*state.known]


def _array(values: Sequence[float], shape: tuple[int, ...]) -> NDArray[np.float64]:
    array = np.array(_finite(values), dtype=np.float64)
    if array.size != np.prod(shape):
        raise InvalidState(f"{array.size} numbers of a state, expected {np.prod(shape)}")
    return array.reshape(shape)


def _finite(values: Iterable[float]) -> list[float]:
    found = [*values]
    if not all(map(isfinite, found)):
        raise InvalidState("a number of a state is not finite")
    return found
