"""What every online model promises (agents.models.model); run by tests/agents/test_models.py.

Each law takes the subject that it examines, so that tests/agents/test_model_laws.py can hand it a
model that breaks it.
"""

import gc
import pickle
import random
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from math import isfinite
from statistics import fmean
from typing import Any

import msgspec
import numpy as np
import pytest

from agents.models.model import InvalidState, Model

Example = tuple[dict[str, float | None], float]
#: None makes a new one. Raises InvalidState.
Make = Callable[[Any], Model[Any]]

#: Longer than any examples: what a model keeps by example shows in its size by then.
LONG = 3_000
#: What the memory of a process may grow by while a model learns LONG examples.
NOISE_BYTES = 32 * 1024
_MODELS = (tracemalloc.Filter(True, "*/agents/*"), tracemalloc.Filter(True, "*/river/*"))


@dataclass(frozen=True)
class Subject:
    """A model and what it is examined with."""

    make: Make
    state: type[msgspec.Struct]
    #: In the order in which they happen, from a generator on which the model should be good.
    examples: Sequence[Example]
    #: What it has to beat, or None where it is the naive one.
    naive: Make | None
    #: How far off a prediction is. The mean of this is compared.
    loss: Callable[[float, float], float]
    #: The encoded state, at most.
    size_bytes: int


class ModelLaws:
    """Subclasses give the fixture `subject`."""

    def test_the_input_is_not_touched(self, subject: Subject) -> None:
        model = subject.make(None)
        for x, y in subject.examples:
            given = {**x}
            model.predict_one(given)
            model.learn_one(given, y)
            assert [*given.items()] == [*x.items()]

    def test_a_prediction_changes_nothing(self, subject: Subject) -> None:
        model, asked = subject.make(None), subject.make(None)
        for number, (x, y) in enumerate(subject.examples):
            for _ in range(number % 3):
                asked.predict_one(x)
            assert asked.predict_one(x) == model.predict_one(x)
            model.learn_one(x, y)
            asked.learn_one(x, y)
        assert encoded(asked) == encoded(model)

    def test_a_state_that_was_taken_does_not_change(self, subject: Subject) -> None:
        model = taught(subject, subject.examples[:50])
        state = model.state()
        before = msgspec.msgpack.encode(state)
        learn(model, subject.examples[50:])
        assert msgspec.msgpack.encode(state) == before
        assert encoded(model) != before

    def test_the_order_of_features_changes_nothing(self, subject: Subject) -> None:
        model, shuffled, chance = subject.make(None), subject.make(None), random.Random(1)
        for x, y in subject.examples:
            other = dict(chance.sample([*x.items()], len(x)))
            assert shuffled.predict_one(other) == model.predict_one(x)
            model.learn_one(x, y)
            shuffled.learn_one(other, y)
        assert encoded(shuffled) == encoded(model)

    def test_missing_features_are_survived(self, subject: Subject) -> None:
        """Some or all of them, at a prediction or while it learns, from the beginning or later."""
        chance = random.Random(2)
        for begins in (0, len(subject.examples) // 2):
            model = taught(subject, subject.examples[:begins])
            for x, y in subject.examples[begins:]:
                part = dict(chance.sample([*x.items()], chance.randint(0, len(x))))
                assert is_an_answer(model.predict_one(part))
                model.learn_one(dict(chance.sample([*x.items()], chance.randint(0, len(x)))), y)
            assert is_an_answer(model.predict_one(subject.examples[-1][0]))

    def test_a_feature_that_is_none_is_a_missing_one(self, subject: Subject) -> None:
        without, none, chance = subject.make(None), subject.make(None), random.Random(3)
        for x, y in subject.examples:
            kept = {*chance.sample([*x], chance.randint(0, len(x)))}
            part = {name: value for name, value in x.items() if name in kept}
            with_none = {name: value if name in kept else None for name, value in x.items()}
            assert none.predict_one(with_none) == without.predict_one(part)
            without.learn_one(part, y)
            none.learn_one(with_none, y)
        assert encoded(none) == encoded(without)

    def test_its_answers_are_finite(self, subject: Subject) -> None:
        """Whatever the numbers: nothing but zeros, nothing but one example, one that is huge."""
        [*names] = subject.examples[0][0]
        zeros: Example = (dict.fromkeys(names, 0.0), 0.0)
        huge: Example = (dict.fromkeys(names, 1e12), 1e12)
        for series in (
            [zeros] * 300,
            [subject.examples[0]] * 300,
            [*subject.examples[:100], huge, *subject.examples[100:200], zeros],
        ):
            model = subject.make(None)
            for x, y in series:
                assert is_an_answer(model.predict_one(x))
                model.learn_one(x, y)
            for x in (zeros[0], huge[0], subject.examples[-1][0]):
                assert is_an_answer(model.predict_one(x))
            decoded(subject, encoded(model))

    def test_its_state_is_bounded(self, subject: Subject) -> None:
        """However long it runs, and whatever features come that it does not know."""
        model = subject.make(None)
        for number, (x, y) in enumerate(islice(cycle(subject.examples), LONG)):
            model.learn_one({**x, f"unknown {number}": 1.0}, y)
            if number % 100 == 0:
                assert len(encoded(model)) <= subject.size_bytes
        assert len(encoded(model)) <= subject.size_bytes

    def test_its_memory_is_bounded(self, subject: Subject) -> None:
        """What it keeps beside its state, as a cache by example would be."""
        endless = cycle(subject.examples)
        model = subject.make(None)
        tracemalloc.start()
        try:
            learn(model, islice(endless, 500))
            before = _memory_bytes()
            learn(model, islice(endless, LONG))
            assert _memory_bytes() - before <= NOISE_BYTES
        finally:
            tracemalloc.stop()

    def test_it_predicts_the_same_after_it_was_stored(self, subject: Subject) -> None:
        """Stored at any time, and after each example: to the last bit, and as it learns on."""
        model, often = subject.make(None), subject.make(None)
        once = {number: subject.make(None) for number in (0, 1, 7, len(subject.examples) // 2)}
        for number, (x, y) in enumerate(subject.examples):
            predicted = model.predict_one(x)
            often = decoded(subject, encoded(often))
            assert often.predict_one(x) == predicted
            if number in once:
                once[number] = decoded(subject, encoded(once[number]))
            for other in (model, often, *once.values()):
                assert other.predict_one(x) == predicted
                other.learn_one(x, y)
        assert {encoded(other) for other in (often, *once.values())} == {encoded(model)}

    def test_a_damaged_state_is_refused(self, subject: Subject) -> None:
        """What cannot be its state is never taken for one; and nothing in it is executed."""
        data = encoded(taught(subject, subject.examples))
        for other in (data[:-1], data[: len(data) // 2], pickle.dumps(_Trap()), b"", b"\xff" * 40):
            with pytest.raises((msgspec.DecodeError, InvalidState)):
                decoded(subject, other)
        for name in subject.state.__struct_fields__:
            values = getattr(subject.state(), name)
            if isinstance(values, list):
                damaged = decode(subject, data)
                shorter = getattr(damaged, name)[:-1]
                with pytest.raises(InvalidState):
                    subject.make(msgspec.structs.replace(damaged, **{name: shorter}))

    def test_it_is_repeatable(self, subject: Subject) -> None:
        """Whatever chance there is in it comes from its own seed."""
        runs = []
        for seed in (1, 2):
            with _Seeded(seed):
                model = subject.make(None)
                runs.append((progressive(model, subject.examples), encoded(model)))
        assert runs[0] == runs[1]

    def test_it_is_no_worse_than_the_naive_one(self, subject: Subject) -> None:
        """Each example is predicted before it is learned. Where one has no answer, neither counts;
        but a model that seldom has one does not pass.
        """
        ours = progressive(subject.make(None), subject.examples)
        theirs = progressive(subject.naive(None), subject.examples) if subject.naive else ours
        losses = [
            (subject.loss(our, y), subject.loss(their, y))
            for our, their, (_, y) in zip(ours, theirs, subject.examples, strict=True)
            if our is not None and their is not None
        ]
        assert len(losses) >= len(subject.examples) * 0.9
        assert fmean(our for our, _ in losses) <= fmean(their for _, their in losses)


def learn(model: Model[Any], examples: Iterable[Example]) -> None:
    for x, y in examples:
        model.learn_one(x, y)


def taught(subject: Subject, examples: Iterable[Example]) -> Model[Any]:
    model = subject.make(None)
    learn(model, examples)
    return model


def progressive(model: Model[Any], examples: Iterable[Example]) -> list[float | None]:
    """Each example is predicted, then learned."""
    found = []
    for x, y in examples:
        found.append(model.predict_one(x))
        model.learn_one(x, y)
    return found


def encoded(model: Model[Any]) -> bytes:
    """Its state, as a row would hold it."""
    return msgspec.msgpack.encode(model.state())


def decode(subject: Subject, data: bytes) -> msgspec.Struct:
    return msgspec.msgpack.decode(data, type=subject.state)


def decoded(subject: Subject, data: bytes) -> Model[Any]:
    """Raises msgspec.DecodeError, InvalidState."""
    return subject.make(decode(subject, data))


def is_an_answer(predicted: float | None) -> bool:
    return predicted is None or isfinite(predicted)


def _memory_bytes() -> int:
    """What was allocated by models and is held; threads of earlier tests allocate as well."""
    gc.collect()
    allocated = tracemalloc.take_snapshot().filter_traces(_MODELS)
    return sum(statistic.size for statistic in allocated.statistics("filename"))


class _Trap:
    """Ends the test when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return pytest.exit, ("a state was unpickled",)


class _Seeded:
    """The generators that belong to everybody, in a known state; as they were afterwards."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __enter__(self) -> None:
        self._before = random.getstate(), np.random.get_state()
        random.seed(self._seed)
        np.random.seed(self._seed)

    def __exit__(self, *_: object) -> None:
        random.setstate(self._before[0])
        np.random.set_state(self._before[1])
