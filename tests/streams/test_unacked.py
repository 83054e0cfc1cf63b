"""What of a partition may be committed, by what streams acknowledge."""

from faust.types import TP

from streams.faust.unacked import UnackedByPartition

AT = TP("topic", 0)


def delivered(*offsets: int) -> UnackedByPartition:
    unacked = UnackedByPartition(lambda size: True)
    for offset in offsets:
        unacked[AT].deliver(offset, 1)
    return unacked


def test_everything_below_what_is_unacknowledged_may_be_committed() -> None:
    unacked = delivered(3, 5, 9)
    for acknowledged, committable in ((5, None), (3, 6), (9, 10)):
        unacked[AT].append(acknowledged)
        assert unacked[AT].take_committable() == committable


def test_what_was_not_delivered_is_not_acknowledged() -> None:
    unacked = delivered(3)
    unacked[AT].append(2)
    assert unacked[AT].take_committable() is None


def test_a_partition_about_to_be_lost_is_committed_first() -> None:
    unacked = delivered(3)
    unacked[AT].append(3)
    # Faust does this before it lets a partition go.
    unacked.pop(AT, None)
    assert unacked[AT].take_committable() == 4
    unacked.clear()
    assert unacked[AT].take_committable() is None
