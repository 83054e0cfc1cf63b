"""Rounds over the posts known: all of them after each gap, the newest first, none left out."""

from hypothesis import given
from hypothesis import strategies as st

from collect.rounds import Round

KNOWN = list(range(1, 11))


def taken(one: Round, most: int = 3, known: list[int] | None = None) -> list[int]:
    ids = one.next(KNOWN if known is None else known, most)
    one.done(ids)
    return ids


def test_nothing_is_compared_before_something_was_missed() -> None:
    assert Round().next(KNOWN, 3) == []


def test_the_newest_first_and_each_once() -> None:
    one = Round()
    one.begin()
    requests = [taken(one) for _ in range(5)]
    assert requests == [[10, 9, 8], [7, 6, 5], [4, 3, 2], [1], []]
    assert one.at is None


def test_the_same_until_they_were_compared() -> None:
    one = Round()
    one.begin()
    assert one.next(KNOWN, 3) == one.next(KNOWN, 3) == [10, 9, 8]


def test_a_gap_within_a_round_takes_it_to_the_oldest_and_then_those_above() -> None:
    one = Round()
    one.begin()
    assert taken(one) == [10, 9, 8]
    one.begin()
    assert [taken(one) for _ in range(6)] == [[7, 6, 5], [4, 3, 2], [1], [10, 9, 8], [], []]


def test_a_restart_goes_on_where_the_round_stood() -> None:
    before = Round()
    before.begin()
    taken(before)
    after = Round()
    after.begin(before.at)
    assert [taken(after, 5) for _ in range(4)] == [[7, 6, 5, 4, 3], [2, 1], [10, 9, 8], []]


def test_posts_that_went_meanwhile_are_skipped() -> None:
    one = Round()
    one.begin()
    assert taken(one) == [10, 9, 8]
    assert taken(one, known=[2, 9]) == [2]
    assert taken(one, known=[9]) == []


@given(st.lists(st.integers(0, 8), min_size=1, max_size=12))
def test_after_each_gap_every_post_is_compared_however_often_that_happens(steps: list[int]) -> None:
    """`steps`: how many requests come through before the next gap."""
    one, stale = Round(), set(KNOWN)
    for requests in steps:
        one.begin()
        gap = set(KNOWN)  # all may have changed
        for _ in range(requests):
            gap -= set(taken(one))
        stale = gap
    requests = 0
    while ids := taken(one):
        stale -= set(ids)
        requests += 1
    assert stale == set()
    assert requests <= 6
