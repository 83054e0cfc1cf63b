"""Which posts are sampled when, and what a page of history tells of those known."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from collect.recent import Known, RecentPosts
from collect.settings import CollectorSettings
from streams.events import MAX_POSTS, Post
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS

SCHEDULE = CollectorSettings().sampling
NOW_MS = 1_735_689_600_000


def post(post_id: int, age_ms: int = 0, edit_ms: int | None = None, **fields: object) -> Post:
    return Post(post_id=post_id, date_ms=NOW_MS - age_ms, edit_date_ms=edit_ms, **fields)


def recent(*posts: Post, most: int = 1000) -> RecentPosts:
    found = RecentPosts(SCHEDULE, most)
    found.put(posts, NOW_MS)
    return found


def test_the_younger_the_sooner() -> None:
    ages = {1: 0, 2: HOUR_MS - 1, 3: HOUR_MS, 4: 6 * HOUR_MS, 5: 48 * HOUR_MS, 6: 30 * DAY_MS}
    dues = {i: recent(post(i, age_ms)).next_due_ms() for i, age_ms in ages.items()}
    assert dues == {
        1: NOW_MS + MINUTE_MS,
        2: NOW_MS + MINUTE_MS,
        3: NOW_MS + 5 * MINUTE_MS,
        4: NOW_MS + 30 * MINUTE_MS,
        5: NOW_MS + 12 * HOUR_MS,
        6: None,
    }


def test_a_post_dated_in_the_future_counts_as_young() -> None:
    assert recent(post(1, -HOUR_MS)).next_due_ms() == NOW_MS + MINUTE_MS


def test_due_until_sampled() -> None:
    posts = recent(post(1), post(2))
    now_ms = NOW_MS + MINUTE_MS
    assert posts.due(now_ms - 1) == []
    assert posts.due(now_ms) == posts.due(now_ms)
    assert sorted(posts.due(now_ms)) == [1, 2]
    posts.sampled([1], now_ms)
    assert posts.due(now_ms) == [2]
    posts.sampled([2], now_ms)
    assert posts.due(now_ms) == []
    assert posts.next_due_ms() == now_ms + MINUTE_MS


def test_an_aged_post_is_known_but_left_alone() -> None:
    posts = recent(post(1, 30 * DAY_MS - 1), post(2, 31 * DAY_MS))
    assert posts.due(NOW_MS + 12 * HOUR_MS) == []
    assert posts.next_due_ms() is None
    compared = posts.compare([post(1, 30 * DAY_MS - 1)], oldest=1, below=None)
    assert (compared.new, compared.missing) == ([], [2])


def test_at_most_one_request_at_a_time() -> None:
    posts = recent(*(post(i) for i in range(1, 251)))
    now_ms, found = NOW_MS + MINUTE_MS, []
    while due := posts.due(now_ms):
        assert len(due) <= MAX_POSTS
        posts.sampled(due, now_ms)
        found += due
    assert sorted(found) == list(range(1, 251))


def test_the_newest_are_kept() -> None:
    posts = recent(*(post(i) for i in range(1, 11)), most=3)
    assert sorted(posts) == [8, 9, 10]
    assert sorted(posts.due(NOW_MS + MINUTE_MS)) == [8, 9, 10]


def test_a_page_compared() -> None:
    posts = recent(post(1), post(2), post(3), post(4, edit_ms=5), post(9))
    page = [post(5), post(4, edit_ms=6), post(2, edit_ms=1)]
    compared = posts.compare(page, oldest=2, below=9)
    assert [p.post_id for p in compared.new] == [5]
    assert [p.post_id for p in compared.edited] == [4, 2]
    assert compared.unchanged == []
    assert compared.missing == [3]
    assert posts.compare(page, oldest=1, below=None).missing == [9, 3, 1]


def test_what_was_kept_is_known_again() -> None:
    kept = recent(post(1), post(2, edit_ms=7, reactions={"👍": 1})).take_changed()
    posts = loaded(kept)
    compared = posts.compare([post(2, edit_ms=7)], oldest=1, below=None)
    assert (compared.unchanged, compared.missing) == ([post(2, edit_ms=7)], [1])
    assert posts.reacted([1, 2]) == [2]
    assert posts.take_changed() == {}


def loaded(pages: Mapping[int, Mapping[int, Known]]) -> RecentPosts:
    posts = RecentPosts(SCHEDULE, 1000)
    posts.load(pages, NOW_MS)
    return posts


def test_pages_that_changed_are_stored_and_no_others() -> None:
    posts = recent(post(1), post(99), post(100), post(250))
    stored = posts.take_changed()
    assert {page: sorted(held) for page, held in stored.items()} == {0: [1, 99], 1: [100], 2: [250]}
    posts.put([post(99)], NOW_MS)
    posts.put_reacted([1])
    posts.put_reacted([1])
    posts.put([post(100, edit_ms=5)], NOW_MS)
    posts.drop([250, 251])
    changed = posts.take_changed()
    assert sorted(changed) == [0, 1, 2]
    assert changed[0][1].reacted
    assert changed[1][100].edit_ms == 5
    assert changed[2] == {}
    assert posts.take_changed() == {}


def test_a_page_that_could_not_be_stored_is_stored_with_the_next() -> None:
    posts = recent(post(1), post(100))
    taken = posts.take_changed()
    posts.not_stored(taken)
    assert posts.take_changed() == taken


def test_posts_that_were_stored_as_one_are_stored_in_their_pages() -> None:
    posts = loaded({-1: {1: Known(NOW_MS, 0), 150: Known(NOW_MS, 7)}})
    assert posts.take_changed() == {
        -1: {},
        0: {1: Known(NOW_MS, 0)},
        1: {150: Known(NOW_MS, 7)},
    }


def test_what_was_kept_has_its_turns_spread_over_the_pause_of_its_age() -> None:
    ages = dict.fromkeys(range(1, 201), 7 * HOUR_MS)
    posts = loaded({0: {i: Known(NOW_MS - age_ms, 0) for i, age_ms in ages.items()}})
    found: set[int] = set()
    for minute in range(31):
        now_ms = NOW_MS + minute * MINUTE_MS
        due = posts.due(now_ms)
        posts.sampled(due, now_ms)
        found |= set(due)
        assert posts.due(now_ms) == []
    assert found == set(ages)


def test_those_edited_since() -> None:
    posts = recent(post(1), post(2, edit_ms=7), post(3, edit_ms=7))
    said = [post(1, edit_ms=5), post(2, edit_ms=7), post(3, edit_ms=8), post(4, edit_ms=9)]
    assert [one.post_id for one in posts.edited(said)] == [1, 3]


steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "sampled", "drop", "due"]),
        st.integers(1, 6),
        st.integers(0, 40 * DAY_MS),
    ),
    max_size=60,
)


@given(steps)
def test_any_order_of_steps_keeps_the_next_due_right(steps: list[tuple[str, int, int]]) -> None:
    posts, now_ms = RecentPosts(SCHEDULE, 4), NOW_MS
    for step, post_id, number in steps:
        now_ms += number // 100
        match step:
            case "put":
                posts.put([Post(post_id=post_id, date_ms=now_ms - number)], now_ms)
            case "sampled":
                posts.sampled([post_id], now_ms)
            case "drop":
                posts.drop([post_id])
            case "due":
                due = posts.due(now_ms)
                assert len(due) == len(set(due))
                assert all(i in posts for i in due)
        next_ms = posts.next_due_ms()
        assert len(posts) <= 4
        assert next_ms is None or len(posts)
        if next_ms is not None and next_ms > now_ms:
            assert posts.due(now_ms) == []
