import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.rows import RowDecoder, encode_row
from tables.timers import MOST_TIMERS, Timer, TimerOrder, TimerRow

KEYS = st.sampled_from([b"1", b"2", b"30"])
NAMES = st.sampled_from(["", "a", "b"])
#: Set, cancel (None), or take the first out.
STEPS = st.lists(
    st.one_of(
        st.tuples(KEYS, NAMES, st.one_of(st.none(), st.integers(0, 9))),
        st.none(),
    ),
    max_size=200,
)


@given(STEPS)
def test_the_order_is_that_of_a_sorted_list(
    steps: list[tuple[bytes, str, int | None] | None],
) -> None:
    order, model = TimerOrder(), dict[tuple[bytes, str], int]()
    for step in steps:
        if step is None:
            if (first := order.first()) is not None:
                order.cancel(first.key, first.name)
                del model[first.key, first.name]
        elif step[2] is None:
            order.cancel(step[0], step[1])
            model.pop(step[:2], None)
        else:
            order.set(Timer(step[2], step[0], step[1]))
            model[step[:2]] = step[2]
        expected = sorted(Timer(due_ms, key, name) for (key, name), due_ms in model.items())
        assert order.first() == (expected[0] if expected else None)
        assert len(order) == len(expected)
        for key in (b"1", b"2", b"30"):
            own = [timer for timer in expected if timer.key == key]
            assert order.first_of(key) == (own[0] if own else None)
            assert order.of(key) == {timer.name: timer.due_ms for timer in own}


def test_a_timer_that_moves_for_ever_takes_no_more_room() -> None:
    order = TimerOrder()
    for due_ms in range(10_000):
        order.set(Timer(due_ms, b"1"))
    assert len(order._heap) < 100
    assert order.first() == Timer(9_999, b"1")


def test_a_key_has_a_bounded_number_of_timers() -> None:
    order = TimerOrder()
    for number in range(MOST_TIMERS):
        order.set(Timer(number, b"1", str(number)))
    order.set(Timer(99, b"1", "0"))
    with pytest.raises(ValueError, match="more than 8 timers of one key"):
        order.set(Timer(1, b"1", "one too many"))
    assert len(order) == MOST_TIMERS


def test_a_row_survives_the_round_trip() -> None:
    row = TimerRow(last_offset=7, due_ms={"": 1, "a": 2})
    assert RowDecoder(TimerRow)(encode_row(row)) == row
