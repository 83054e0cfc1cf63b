from bot.throttled import Edit, Place, ThrottledEdits
from streams.log import Partition
from tests.bot.stage import RAISED, resolved, updated

ANN = Place(RAISED.alert_id, 5)
BEN = Place(RAISED.alert_id, 6)
AT = Partition("analytics.alerts", 0)
OTHER = Partition("analytics.alerts", 1)


def test_what_was_not_told_lately_is_not_held() -> None:
    held = ThrottledEdits(30.0)
    assert not held.hold(ANN, updated(2.0), AT, 7, 100.0)
    assert held.next_due_s() is None
    assert held.first_offset(AT) is None


def test_an_update_is_held_until_exactly_its_time() -> None:
    held = ThrottledEdits(30.0)
    held.told(ANN, 100.0)
    assert held.hold(ANN, updated(2.0), AT, 7, 129.9)
    assert held.next_due_s() == 130.0
    assert list(held.take_due(129.9)) == []
    assert list(held.take_due(130.0)) == [(ANN, Edit(updated(2.0), AT, 7, 130.0))]
    assert list(held.take_due(999.0)) == []


def test_the_newest_update_replaces_the_one_before() -> None:
    held = ThrottledEdits(30.0)
    held.told(ANN, 100.0)
    held.hold(ANN, updated(2.0), AT, 7, 101.0)
    held.hold(ANN, updated(3.0), AT, 8, 102.0)
    assert held.first_offset(AT) == 8
    assert [edit.alert.observed for _, edit in held.take_due(130.0)] == [3.0]


def test_the_end_is_never_held_and_clears_what_is() -> None:
    held = ThrottledEdits(30.0)
    held.told(ANN, 100.0)
    held.hold(ANN, updated(2.0), AT, 7, 101.0)
    assert not held.hold(ANN, resolved(), AT, 8, 102.0)
    held.told(ANN, 102.0)
    assert list(held.take_due(999.0)) == []


def test_chats_and_partitions_are_apart() -> None:
    held = ThrottledEdits(30.0)
    held.told(ANN, 100.0)
    held.told(BEN, 110.0)
    held.hold(ANN, updated(2.0), AT, 7, 111.0)
    held.hold(BEN, updated(2.0), OTHER, 3, 111.0)
    assert (held.first_offset(AT), held.first_offset(OTHER)) == (7, 3)
    assert held.next_due_s() == 130.0
    assert [place for place, _ in held.take_due(130.0)] == [ANN]
    assert held.next_due_s() == 140.0


def test_what_may_be_edited_at_any_time_takes_no_room() -> None:
    held = ThrottledEdits(30.0)
    for number in range(100):
        held.told(Place(str(number), 5), 100.0)
    assert list(held.take_due(130.0)) == []
    assert vars(held)["_told_s"] == {}
