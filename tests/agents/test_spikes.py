from agents.engine.step_context import StepContext
from agents.spikes.row import NEEDED_MINUTES, USUAL, Spikes
from agents.spikes.rule import FACTOR, LEAST, SETTINGS, method, put_spikes
from streams.analytics import ActivityWindow, Alert
from streams.ids import PostId
from streams.units import MINUTE_MS
from tests.agents.pure import CHANNEL

CALM = USUAL.calm_minutes


def _window(
    number: int, views: int | None, *, closed: bool = True, top: int | None = None
) -> ActivityWindow:
    return ActivityWindow(
        channel_id=CHANNEL,
        observed_at_ms=number * MINUTE_MS + 1,
        start_ms=number * MINUTE_MS,
        views_gained=views,
        views_pace=views,
        samples=10,
        closed=closed,
        top_post_id=None if top is None else PostId(top),
    )


def _alerts(windows: list[ActivityWindow]) -> list[Alert]:
    state = Spikes()
    return [
        alert
        for n, window in enumerate(windows)
        for alert in put_spikes(state, window, StepContext(n))
    ]


QUIET = [_window(number, 10) for number in range(NEEDED_MINUTES)]


def test_a_spike_is_raised_updated_while_it_grows_and_resolved() -> None:
    spike = [_window(20, views, closed=False) for views in (12, 40, 55, 55)]
    after = [_window(20, 60), *(_window(21 + n, 10) for n in range(CALM))]
    alerts = _alerts([*QUIET, *spike, *after])
    assert [(alert.state, alert.observed) for alert in alerts] == [
        ("raised", 40),
        ("updated", 55),
        ("updated", 60),
        ("resolved", 60),
    ]
    assert {alert.alert_id for alert in alerts} == {f"{CHANNEL}/spike/{20 * MINUTE_MS}"}
    assert {(alert.expected, alert.method) for alert in alerts} == {(10, method(USUAL))}
    assert alerts[-1].resolved_at_ms == (21 + CALM) * MINUTE_MS


def test_an_alert_names_the_post_of_its_highest_minute() -> None:
    spike = [_window(20, 40, top=7), _window(21, 39, top=8), _window(22, 50, top=9)]
    alerts = _alerts([*QUIET, *spike, *(_window(23 + n, 10, top=1) for n in range(CALM))])
    assert [(alert.state, alert.post_id) for alert in alerts] == [
        ("raised", 7),
        ("updated", 9),
        ("resolved", 9),
    ]


def test_a_minute_in_which_nothing_was_measured_is_not_a_calm_one() -> None:
    unknown = [_window(21 + n, None) for n in range(CALM)]
    alerts = _alerts([*QUIET, _window(20, 40), *unknown])
    assert [alert.state for alert in alerts] == ["raised"]


def test_a_replayed_window_gives_the_alert_as_it_stands() -> None:
    state = Spikes()
    windows = [*QUIET, _window(20, 40), _window(21, 90)]
    for offset, window in enumerate(windows):
        put_spikes(state, window, StepContext(offset))
    (alert,) = put_spikes(state, windows[-2], StepContext(len(windows) - 2))
    assert (alert.state, alert.observed) == ("updated", 90)


def test_operators_set_what_a_spike_is() -> None:
    rising = [*QUIET, _window(20, 25)]
    assert _alerts(rising) == []
    values = {setting.name: setting.default for setting in SETTINGS}
    values |= {LEAST.name: 5, FACTOR.name: 2.5}
    state = Spikes()
    found = [
        a for n, each in enumerate(rising) for a in put_spikes(state, each, StepContext(n, values))
    ]
    assert [alert.state for alert in found] == ["raised"]
    assert "reached 2.5 times" in found[0].method
    assert found[0].method.endswith("and at least 5")
