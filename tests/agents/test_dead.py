from typing import get_args

import pytest

from agents.engine.dead import SHARE_OPTION, DeadCount, DeadLimit, TooManyDead
from agents.engine.reasons import OF_THE_CLOCK, UNREADABLE, DeadReason
from analyticbot.config import OPTIONS


def _note(count: DeadCount, outcomes: str) -> None:
    for outcome in outcomes:
        if outcome == "x":
            count.note_dead("broken_bytes")
        else:
            count.note_processed(1)


def test_fewer_than_the_least_never_stop() -> None:
    _note(DeadCount("t", DeadLimit(window=10, least=4)), "xxx")


def test_exactly_the_least_stop_when_they_are_more_than_the_share() -> None:
    count = DeadCount("t", DeadLimit(window=10, least=4))
    _note(count, "xxx...")
    with pytest.raises(TooManyDead, match=r"4 of the last 7 messages of t .*broken_bytes 4"):
        _note(count, "x")


def test_exactly_the_share_does_not_stop() -> None:
    _note(DeadCount("t", DeadLimit(window=10, least=4)), "xxx....x")


def test_a_share_of_one_never_stops() -> None:
    _note(DeadCount("t", DeadLimit(window=10, least=4, share=1)), "x" * 100)


def test_only_the_last_messages_count() -> None:
    count = DeadCount("t", DeadLimit(window=10, least=4))
    _note(count, "xxx" + "." * 10 + "x.x.x...." + "xx")
    with pytest.raises(TooManyDead):
        _note(count, "xxxx")


def test_many_processed_at_once_count_as_many() -> None:
    count = DeadCount("t", DeadLimit(window=10, least=4))
    _note(count, "xxx")
    count.note_processed(9)
    _note(count, "xxx")
    count = DeadCount("t", DeadLimit(window=10, least=4))
    count.note_processed(1000)
    _note(count, "xxxxx")
    with pytest.raises(TooManyDead, match="6 of the last 10 messages"):
        _note(count, "x")


def test_what_was_forgotten_is_forgotten_by_reason() -> None:
    count = DeadCount("t", DeadLimit(window=2, least=2))
    for _ in range(3):
        count.note_dead("wrong_shape")
        _note(count, "..")
    with pytest.raises(TooManyDead, match=r"\(broken_bytes 2\)"):
        _note(count, "xx")


def _note_all(count: DeadCount, reason: DeadReason, times: int) -> None:
    for _ in range(times):
        count.note_dead(reason)


@pytest.mark.parametrize(
    "reason", sorted(set(get_args(DeadReason)) - UNREADABLE - OF_THE_CLOCK), ids=str
)
def test_what_an_input_did_wrong_never_stops_the_worker(reason: DeadReason) -> None:
    count = DeadCount("t", DeadLimit(window=10, least=4))
    _note_all(count, reason, 50)
    _note(count, "xxx")


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("unknown_version", "run the version that wrote them, or a newer one"),
        ("future_observation", "set the clock of this machine (on Kafka, of the brokers) right"),
    ],
)
def test_the_end_says_what_to_do_and_names_the_option(reason: DeadReason, advice: str) -> None:
    count = DeadCount("t", DeadLimit(window=10, least=4))
    with pytest.raises(TooManyDead) as raised:
        _note_all(count, reason, 4)
    assert advice in str(raised.value)
    assert f"start once with {SHARE_OPTION}=1, which puts them into t.dead" in str(raised.value)
    assert "\n" not in str(raised.value)
    [option] = [option for option in OPTIONS if option.field == "dead_share"]
    assert option.variable == SHARE_OPTION
