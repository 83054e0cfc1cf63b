"""Which post of an album counts: told in one message or many, over buckets, after deletions."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from agents.updates.albums import KEPT, Leaders, drop_leader, is_follower, see_albums
from agents.updates.buckets import NewBuckets, bucket_of, place_of
from streams.ids import PostId

ALBUM = 777


class Posts:
    """The albums of one channel."""

    def __init__(self) -> None:
        self.leaders: Leaders = {}
        self.buckets = NewBuckets()

    def see(self, *ids: int, album: int = ALBUM) -> set[int]:
        return see_albums(self.leaders, self.buckets, {album: [PostId(each) for each in ids]})

    def delete(self, post_id: int) -> set[int]:
        number, slot = place_of(PostId(post_id))
        self.buckets[number].delete(slot)
        return drop_leader(self.leaders, self.buckets, PostId(post_id))

    def counting(self, *ids: int) -> list[int]:
        return [each for each in ids if not is_follower(self.buckets, PostId(each))]


def test_of_one_message_the_lowest_id_leads() -> None:
    posts = Posts()
    assert posts.see(12, 10, 11) == {0}
    assert posts.counting(10, 11, 12, 13) == [10, 13]


def test_members_of_another_page_follow_though_their_ids_are_lower() -> None:
    posts = Posts()
    posts.see(12, 13)
    posts.see(10, 11)
    assert posts.counting(10, 11, 12, 13) == [12]


def test_an_album_over_two_buckets_changes_both() -> None:
    posts = Posts()
    assert posts.see(63) == set()
    assert posts.see(64, 65) == {0, 1}
    assert posts.counting(63, 64, 65) == [63]


def test_seen_again_nothing_changes() -> None:
    posts = Posts()
    posts.see(10, 11)
    assert posts.see(10, 11) == set()
    assert posts.see(11) == set()


def test_when_the_leader_is_deleted_the_lowest_that_is_left_leads() -> None:
    posts = Posts()
    posts.see(62, 63, 64, 65)
    posts.delete(63)
    assert posts.delete(62) == {bucket_of(PostId(64))}
    assert posts.counting(63, 64, 65) == [64]
    assert posts.delete(64) == {1}
    assert posts.counting(65) == [65]
    assert posts.leaders == {ALBUM: 65}


def test_after_all_of_it_was_deleted_whoever_comes_leads() -> None:
    posts = Posts()
    posts.see(10, 11)
    posts.delete(11)
    assert posts.delete(10) == set()
    posts.see(12, 13)
    assert posts.counting(12, 13) == [12]


def test_a_deleted_follower_changes_nothing() -> None:
    posts = Posts()
    posts.see(10, 11)
    assert posts.delete(11) == set()
    assert posts.counting(10) == [10]


def test_an_album_that_is_forgotten_keeps_its_leader_when_it_is_seen_again() -> None:
    posts = Posts()
    posts.see(10, 11, 12)
    for number in range(KEPT):
        posts.see(100 + number, album=number)
    assert ALBUM not in posts.leaders
    assert len(posts.leaders) == KEPT
    assert posts.see(11, 12) == set()
    assert ALBUM not in posts.leaders
    assert posts.see(10, 11, 12) == set()
    assert posts.counting(10, 11, 12) == [10]


def test_the_album_that_was_seen_last_is_forgotten_last() -> None:
    posts = Posts()
    posts.see(10)
    for number in range(KEPT - 1):
        posts.see(100 + number, album=number)
    posts.see(10)
    posts.see(1000, album=-1)
    assert ALBUM in posts.leaders
    assert 0 not in posts.leaders


pages = st.lists(st.lists(st.integers(60, 69), min_size=1), min_size=1)


@given(pages)
def test_one_post_of_an_album_counts_in_whatever_messages_it_comes(told: list[list[int]]) -> None:
    posts = Posts()
    for ids in told:
        posts.see(*ids)
    known = {each for ids in told for each in ids}
    assert posts.counting(*known) == [min(told[0])]


@given(pages, st.permutations(range(60, 70)))
def test_as_long_as_a_post_is_left_one_counts(told: list[list[int]], gone: Sequence[int]) -> None:
    posts = Posts()
    for ids in told:
        posts.see(*ids)
    left = {each for ids in told for each in ids}
    for post_id in gone:
        posts.delete(post_id)
        left.discard(post_id)
        assert len(posts.counting(*left)) == min(len(left), 1)


def test_a_leader_is_deleted_whose_followers_were_forgotten() -> None:
    """The bucket of posts from 64 on was not touched for long, and is gone."""
    posts = Posts()
    posts.see(63, 64, 65)
    del posts.buckets[1]
    assert posts.delete(63) == set()
    assert posts.counting(64, 65) == [64, 65]
