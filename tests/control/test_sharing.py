from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from control.assigning import shared

THINGS = st.lists(st.text("abcdef", min_size=1, max_size=3), unique=True, max_size=40)
TAKERS = st.sets(st.integers(1, 9), max_size=7)
HELD = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 12), max_size=40)


@given(THINGS, TAKERS, HELD)
def test_nothing_is_left_while_there_is_a_taker(
    things: list[str], takers: set[int], held: dict[str, int]
) -> None:
    given_ = shared(things, takers, held)
    assert set(given_) == (set(things) if takers else set())
    assert set(given_.values()) <= takers


@given(THINGS, TAKERS, HELD)
def test_shares_differ_by_one_at_most(
    things: list[str], takers: set[int], held: dict[str, int]
) -> None:
    sizes = Counter(shared(things, takers, held).values())
    each = [sizes[taker] for taker in takers]
    assert not each or max(each) - min(each) <= 1


@given(THINGS, TAKERS, HELD)
def test_only_what_is_too_much_moves(
    things: list[str], takers: set[int], held: dict[str, int]
) -> None:
    after = shared(things, takers, held)
    before = {thing: held[thing] for thing in things if held.get(thing) in takers}
    gave = Counter(before[thing] for thing in before if after[thing] != before[thing])
    got = Counter(after[thing] for thing in after if after[thing] != before.get(thing))
    has = Counter(after.values())
    # Nobody gives and takes at once, and who gives keeps as much as anybody.
    assert not gave.keys() & got.keys()
    assert all(has[taker] == max(has.values()) for taker in gave)


@given(THINGS, TAKERS, HELD)
def test_what_is_shared_stays_so(things: list[str], takers: set[int], held: dict[str, int]) -> None:
    after = shared(things, takers, held)
    assert shared(things, takers, after) == after


@given(THINGS, TAKERS, HELD)
def test_everybody_comes_to_the_same(
    things: list[str], takers: set[int], held: dict[str, int]
) -> None:
    backwards = dict(reversed(held.items()))
    assert shared(things, sorted(takers, reverse=True), backwards) == shared(things, takers, held)


@given(THINGS, st.sets(st.integers(1, 9), min_size=2, max_size=7))
def test_one_that_goes_moves_its_own_and_no_others(things: list[str], takers: set[int]) -> None:
    before = shared(things, takers)
    gone = min(takers)
    after = shared(things, takers - {gone}, before)
    moved = {thing for thing in things if after[thing] != before[thing]}
    assert moved == {thing for thing in things if before[thing] == gone}


@given(THINGS, st.sets(st.integers(1, 8), min_size=1, max_size=7))
def test_one_that_comes_takes_its_share_and_no_more(things: list[str], takers: set[int]) -> None:
    before = shared(things, takers)
    after = shared(things, takers | {9}, before)
    moved = [thing for thing in things if after[thing] != before[thing]]
    assert {after[thing] for thing in moved} <= {9}
    assert len(moved) in (len(things) // (len(takers) + 1), -(-len(things) // (len(takers) + 1)))
