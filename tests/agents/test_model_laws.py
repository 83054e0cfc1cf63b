"""Each law of models fails a model that breaks it: a law that nothing can break proves nothing."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from agents.models.linear import Linear, LinearState
from agents.models.model import Features
from tests.agents.test_models import SUBJECTS
from tests.laws.model import Make, ModelLaws, Subject

GOOD = SUBJECTS[Linear]
Law = Callable[[ModelLaws, Subject], None]


class Of(Linear):
    """A good model, for others to spoil."""

    def __init__(self, state: LinearState | None = None) -> None:
        super().__init__(("a", "b"), state)


class Greedy(Of):
    def learn_one(self, x: Features, y: float) -> None:
        super().learn_one(x, y)
        assert isinstance(x, dict)
        x.clear()


class Learning(Of):
    """Takes its own predictions for what came."""

    def predict_one(self, x: Features) -> float:
        predicted = super().predict_one(x)
        self.learn_one(x, predicted)
        return predicted


class Sharing(Of):
    """Hands out the list that it goes on writing."""

    def __init__(self, state: LinearState | None = None) -> None:
        super().__init__(state)
        self._shared = [0.0]

    def learn_one(self, x: Features, y: float) -> None:
        super().learn_one(x, y)
        self._shared[0] += 1

    def state(self) -> LinearState:
        return LinearState(means=self._shared)


class Ordered(Of):
    """Goes by the place of a feature and not by its name."""

    def predict_one(self, x: Features) -> float:
        return super().predict_one(dict(zip("ab", x.values(), strict=False)))


class Strict(Of):
    def predict_one(self, x: Features) -> float:
        return super().predict_one({"a": x["a"], "b": x["b"]})


class Counting(Of):
    """Takes a feature that is None for a zero."""

    def learn_one(self, x: Features, y: float) -> None:
        super().learn_one({name: value or 0.0 for name, value in x.items()}, y)


class Overflowing(Of):
    def predict_one(self, x: Features) -> float:
        return super().predict_one(x) * (x.get("a") or 0.0) ** 25 * 1e9


class Curious(Of):
    """Keeps the mean of whatever feature comes, by its name."""

    def __init__(self, state: LinearState | None = None) -> None:
        super().__init__(state)
        self._names: set[str] = set()

    def learn_one(self, x: Features, y: float) -> None:
        super().learn_one(x, y)
        self._names.update(x)

    def state(self) -> LinearState:
        return LinearState(means=[0.0] * len(self._names))


class Hoarding(Of):
    def __init__(self, state: LinearState | None = None) -> None:
        super().__init__(state)
        self._seen: list[tuple[Features, float]] = []

    def learn_one(self, x: Features, y: float) -> None:
        super().learn_one(x, y)
        self._seen.append(({**x}, y))


class Rounding(Of):
    """Stores three digits."""

    def state(self) -> LinearState:
        state = super().state()
        return LinearState(
            state.learned,
            state.means,
            state.known,
            state.precision,
            state.covariance,
            [round(moment, 3) for moment in state.moments],
        )


class Forgetful(Of):
    """Begins anew where a state does not fit."""

    def __init__(self, state: LinearState | None = None) -> None:
        fits = state is not None and len(state.moments) == 3 and len(state.covariance) == 9
        super().__init__(state if fits else None)


class Dicing(Of):
    def predict_one(self, x: Features) -> float:
        return super().predict_one(x) + random.random() / 1e6


class Contrary(Of):
    def predict_one(self, x: Features) -> float:
        return -super().predict_one(x)


class Silent(Of):
    """Has no answer but when it is easy."""

    def predict_one(self, x: Features) -> float | None:  # type: ignore[override]
        return super().predict_one(x) if x["a"] == 0 else None


BROKEN: list[tuple[Law, Make]] = [
    (ModelLaws.test_the_input_is_not_touched, Greedy),
    (ModelLaws.test_a_prediction_changes_nothing, Learning),
    (ModelLaws.test_a_state_that_was_taken_does_not_change, Sharing),
    (ModelLaws.test_the_order_of_features_changes_nothing, Ordered),
    (ModelLaws.test_missing_features_are_survived, Strict),
    (ModelLaws.test_a_feature_that_is_none_is_a_missing_one, Counting),
    (ModelLaws.test_its_answers_are_finite, Overflowing),
    (ModelLaws.test_its_state_is_bounded, Curious),
    (ModelLaws.test_its_memory_is_bounded, Hoarding),
    (ModelLaws.test_it_predicts_the_same_after_it_was_stored, Rounding),
    (ModelLaws.test_a_damaged_state_is_refused, Forgetful),
    (ModelLaws.test_it_is_repeatable, Dicing),
    (ModelLaws.test_it_is_no_worse_than_the_naive_one, Contrary),
    (ModelLaws.test_it_is_no_worse_than_the_naive_one, Silent),
]


@pytest.mark.parametrize(("law", "broken"), BROKEN, ids=lambda each: each.__name__)
def test_a_model_that_breaks_a_law_fails_it(law: Law, broken: Make) -> None:
    with pytest.raises((AssertionError, KeyError, pytest.fail.Exception)):
        law(ModelLaws(), replace(GOOD, make=broken))


@pytest.mark.parametrize(
    "law", dict.fromkeys(law for law, _ in BROKEN), ids=lambda law: law.__name__
)
def test_what_is_spoiled_is_good_otherwise(law: Law) -> None:
    law(ModelLaws(), replace(GOOD, make=Of))


def test_every_law_is_broken_once() -> None:
    laws = {name for name in vars(ModelLaws) if name.startswith("test_")}
    assert {law.__name__ for law, _ in BROKEN} == laws
