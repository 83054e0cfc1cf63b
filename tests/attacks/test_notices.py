"""The log: a line at once, then one a minute with the rest."""

import logging

from api.notices import EVERY_S, TOLD_APART, Notices


def lines(said: list[logging.LogRecord]) -> list[tuple[str, str, int]]:
    return [
        (record.__dict__["what"], record.__dict__["reason"], record.__dict__["count"])
        for record in said
    ]


def test_the_first_is_said_at_once_and_the_rest_after_a_minute(
    said: list[logging.LogRecord],
) -> None:
    notices = Notices()
    for number in range(1_000):
        notices.note(number / 100, "connection", "slow_head" if number % 2 else "displaced")
    notices.sweep(EVERY_S - 1)
    assert lines(said) == [("connection", "displaced", 1)]
    notices.sweep(EVERY_S)
    assert lines(said)[1:] == [("connection", "displaced,slow_head", 999)]
    notices.sweep(3 * EVERY_S)
    notices.note(3 * EVERY_S, "connection", "stalled")
    assert lines(said)[2:] == [("connection", "stalled", 1)]


def test_kinds_and_addresses_are_told_apart_up_to_a_number(said: list[logging.LogRecord]) -> None:
    notices = Notices()
    for number in range(10 * TOLD_APART):
        notices.note(0, "key", "wrong", str(number))
    notices.note(0, "request", "400")
    assert len(said) == TOLD_APART + 2
    notices.end()
    assert lines(said)[-1] == ("key", "wrong", 9 * TOLD_APART - 1)
    assert said[-1].__dict__["address"] == "others"


def test_what_was_not_said_is_said_at_the_end(said: list[logging.LogRecord]) -> None:
    notices = Notices()
    notices.note(0, "request", "400")
    notices.note(0, "request", "431")
    notices.end()
    assert lines(said) == [("request", "400", 1), ("request", "431", 1)]
