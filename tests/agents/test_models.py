"""Every model of the agents passes the examination of tests/laws/model.py."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import log1p
from typing import ClassVar

import msgspec
import pytest

import agents
from agents.engine.decision import Decision
from agents.engine.one_row import OneRow
from agents.engine.ports import Table
from agents.engine.step_context import StepContext
from agents.forecasts.model import ViewsForecast
from agents.forecasts.naive import RatioOfMedians, RatioState
from agents.models.linear import Linear, LinearState
from agents.models.model import Model
from agents.pipeline import INPUTS
from streams.analytics import PostAge
from streams.codec import decode_analytics, encode
from streams.ids import ChannelId, PostId
from streams.topics import ALERTS, WINDOWS
from tables.rows import Row, RowDecoder, Upgrade
from tests.agents.in_memory import InMemory
from tests.agents.posts_growing import growing
from tests.laws.model import Example, ModelLaws, Subject
from tests.streams.sources.manual_clock import ManualClock


def relative(predicted: float, y: float) -> float:
    """The same for twice as many as for half as many."""
    return abs(log1p(predicted) - log1p(y))


class Mean:
    """Predicts what came so far, whatever the features."""

    def __init__(self, state: LinearState | None = None) -> None:
        state = state or LinearState()
        self._learned, self._sum = state.learned, sum(state.means)

    def predict_one(self, x: object) -> float:
        return self._sum / max(1, self._learned)

    def learn_one(self, x: object, y: float) -> None:
        self._learned += 1
        self._sum += y

    def state(self) -> LinearState:
        return LinearState(self._learned, [self._sum])


def plane() -> Iterator[Example]:
    """A plane over two features that do not begin at zero."""
    for number in range(400):
        a, b = (number * 7) % 11 / 10, (number * 5) % 13 / 10 + 1
        yield {"a": a, "b": b}, 3 + 0.5 * a - 0.25 * b + ((number * 3) % 5 - 2) / 50


SUBJECTS = {
    Linear: Subject(
        make=lambda state: Linear(("a", "b"), state),
        state=LinearState,
        examples=[*plane()],
        naive=Mean,
        loss=lambda predicted, y: abs(predicted - y),
        size_bytes=300,
    ),
    ViewsForecast: Subject(
        make=ViewsForecast,
        state=LinearState,
        examples=[*growing(seed=1)],
        naive=RatioOfMedians,
        loss=relative,
        size_bytes=500,
    ),
    RatioOfMedians: Subject(
        make=RatioOfMedians,
        state=RatioState,
        examples=[*growing(seed=2)],
        naive=None,
        loss=relative,
        size_bytes=1_200,
    ),
}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=[model.__name__ for model in SUBJECTS])
class TestModels(ModelLaws):
    pass


def test_every_model_is_examined() -> None:
    assert {*_models()} == {*SUBJECTS}


@pytest.mark.parametrize("level", [30.0, 3_000.0])
def test_a_forecast_beats_the_naive_one_at_any_size(level: float) -> None:
    examples = [*growing(seed=3, level=level)]
    errors = [
        sum(relative(model.predict_one(x) or 0, y) for x, y in _learning(model, examples))
        for model in (ViewsForecast(), RatioOfMedians())
    ]
    assert errors[0] < 0.8 * errors[1]


class Learning(Row):
    """A row as a decision would keep it. Its first layout knew no model."""

    UPGRADES: ClassVar[Mapping[int, Upgrade]] = {2: lambda values: [3, *values[1:2], []]}

    version: int = 3
    model: LinearState = LinearState()


def learn_age(row: Learning, message: PostAge, context: StepContext) -> Sequence[PostAge]:
    """A decision's step: predicts, then learns; the prediction goes out in place of the views."""
    if context.offset <= row.last_offset:
        return []
    row.last_offset = context.offset
    forecast = ViewsForecast(row.model)
    x, views = {"now": message.forwards, "level": message.replies}, message.views or 0
    predicted = forecast.predict_one(x)
    forecast.learn_one(x, views)
    row.model = forecast.state()
    return [msgspec.structs.replace(message, views=predicted)]


def test_a_row_keeps_a_model_over_restarts() -> None:
    decision = Decision(
        name="learning",
        reads=(WINDOWS,),
        kinds=(PostAge,),
        steps=(learn_age,),
        tables=(Table("learning", Learning),),
        sends=(ALERTS,),
        handler=OneRow,
    )
    runs = [InMemory((decision,), INPUTS, ManualClock(0)) for _ in range(2)]
    for number, (x, y) in enumerate(islice(growing(seed=4), 60)):
        age = PostAge(
            channel_id=ChannelId(7),
            observed_at_ms=number,
            post_id=PostId(number),
            age_s=3600,
            views=y,
            forwards=x["now"],
            replies=x.get("level"),
        )
        for restarts, run in enumerate(runs):
            run.append(WINDOWS.name, b"7", encode(age), number)
            run.run()
            if restarts:
                run.restart()
    steady, restarted = runs
    assert restarted.tables == steady.tables
    sent = [record.value for record in steady.topics[ALERTS.name]]
    assert [record.value for record in restarted.topics[ALERTS.name]] == sent
    forecasts = [decode_analytics(value or b"") for value in sent]
    assert [each.views is None for each in forecasts if isinstance(each, PostAge)] == (
        [True] * 10 + [False] * 50
    )
    row = RowDecoder(Learning)(steady.tables["learning"][b"7"])
    assert row.model.learned == 60
    assert ViewsForecast(row.model).predict_one({"now": 200.0}) is not None


def test_a_row_that_had_no_model_gets_a_new_one() -> None:
    row = RowDecoder(Learning)(msgspec.msgpack.encode([2, 17, "what it had before"]))
    assert row == Learning(last_offset=17)
    assert ViewsForecast(row.model).predict_one({"now": 200.0}) is None


def test_processes_that_use_no_model_do_not_load_river() -> None:
    loaded = "{'river', 'scipy'} & {name.partition('.')[0] for name in sys.modules}"
    code = f"import sys, analyticbot.cli, agents.pipeline, agents.app, api, bot; print({loaded})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def _learning(model: Model[object], examples: list[Example]) -> Iterator[Example]:
    """The examples after the first hundred; each is learned when the next one is asked for."""
    for number, (x, y) in enumerate(examples):
        if number >= 100:
            yield x, y
        model.learn_one(x, y)


def _models() -> Iterator[type]:
    for module in pkgutil.walk_packages(agents.__path__, "agents."):
        loaded = importlib.import_module(module.name)
        for _, found in inspect.getmembers(loaded, inspect.isclass):
            own = found.__module__ == module.name and not getattr(found, "_is_protocol", False)
            if own and hasattr(found, "predict_one") and hasattr(found, "learn_one"):
                yield found
