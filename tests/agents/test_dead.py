import pytest

from agents.dead import DeadCount, DeadLimit, TooManyDead


def _note(count: DeadCount, outcomes: str) -> None:
    for outcome in outcomes:
        count.note("broken_bytes" if outcome == "x" else None)


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


def test_what_was_forgotten_is_forgotten_by_reason() -> None:
    count = DeadCount("t", DeadLimit(window=2, least=2))
    for _ in range(3):
        count.note("wrong_shape")
        _note(count, "..")
    with pytest.raises(TooManyDead, match=r"\(broken_bytes 2\)"):
        _note(count, "xx")
