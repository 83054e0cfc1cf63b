from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from control.assigning import assigned

THINGS = st.lists(st.text("abcdef", min_size=1, max_size=3), unique=True, max_size=40)
OWNERS = st.sets(st.integers(1, 9), max_size=7)
HELD = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 12), max_size=40)


@given(THINGS, OWNERS, HELD)
def test_nothing_is_left_while_there_is_a_owner(
    things: list[str], owners: set[int], held: dict[str, int]
) -> None:
    given_ = assigned(things, owners, held)
    assert set(given_) == (set(things) if owners else set())
    assert set(given_.values()) <= owners


@given(THINGS, OWNERS, HELD)
def test_numbers_differ_by_one_at_most(
    things: list[str], owners: set[int], held: dict[str, int]
) -> None:
    sizes = Counter(assigned(things, owners, held).values())
    each = [sizes[owner] for owner in owners]
    assert not each or max(each) - min(each) <= 1


@given(THINGS, OWNERS, HELD)
def test_only_what_is_too_much_moves(
    things: list[str], owners: set[int], held: dict[str, int]
) -> None:
    after = assigned(things, owners, held)
    before = {thing: held[thing] for thing in things if held.get(thing) in owners}
    gave = Counter(before[thing] for thing in before if after[thing] != before[thing])
    got = Counter(after[thing] for thing in after if after[thing] != before.get(thing))
    has = Counter(after.values())
    # Nobody gives and takes at once, and who gives keeps as much as anybody.
    assert not gave.keys() & got.keys()
    assert all(has[owner] == max(has.values()) for owner in gave)


@given(THINGS, OWNERS, HELD)
def test_what_is_shared_stays_so(things: list[str], owners: set[int], held: dict[str, int]) -> None:
    after = assigned(things, owners, held)
    assert assigned(things, owners, after) == after


@given(THINGS, OWNERS, HELD)
def test_everybody_comes_to_the_same(
    things: list[str], owners: set[int], held: dict[str, int]
) -> None:
    backwards = dict(reversed(held.items()))
    assert assigned(things, sorted(owners, reverse=True), backwards) == assigned(
        things, owners, held
    )


@given(THINGS, st.sets(st.integers(1, 9), min_size=2, max_size=7))
def test_one_that_goes_moves_its_own_and_no_others(things: list[str], owners: set[int]) -> None:
    before = assigned(things, owners)
    gone = min(owners)
    after = assigned(things, owners - {gone}, before)
    moved = {thing for thing in things if after[thing] != before[thing]}
    assert moved == {thing for thing in things if before[thing] == gone}


@given(THINGS, st.sets(st.integers(1, 8), min_size=1, max_size=7))
def test_one_that_comes_takes_its_share_and_no_more(things: list[str], owners: set[int]) -> None:
    before = assigned(things, owners)
    after = assigned(things, owners | {9}, before)
    moved = [thing for thing in things if after[thing] != before[thing]]
    assert {after[thing] for thing in moved} <= {9}
    assert len(moved) in (len(things) // (len(owners) + 1), -(-len(things) // (len(owners) + 1)))
