"""The fold behind the live socket: pure, bounded, and the same however it is cut."""

from hypothesis import given
from hypothesis import strategies as st

from api.live_view import LAST, POSTS, WINDOWS, LiveView, changes_of
from api.messages import Change, Figures, Minutes
from streams.analytics import (
    ActivityWindow,
    Alert,
    Analytics,
    ChannelSummary,
    PostAge,
    PostCounters,
    SubscribersWindow,
)
from streams.ids import ChannelId, PostId
from streams.units import MINUTE_MS

ONE, TWO = ChannelId(1), ChannelId(2)


def window(minute: int, views: int | None = None, channel: ChannelId = ONE) -> ActivityWindow:
    start_ms = minute * MINUTE_MS
    return ActivityWindow(
        channel_id=channel, observed_at_ms=start_ms + 1, start_ms=start_ms, views_gained=views
    )


def subscribers(minute: int, size_ms: int = MINUTE_MS) -> SubscribersWindow:
    return SubscribersWindow(
        channel_id=ONE, observed_at_ms=minute * MINUTE_MS, start_ms=minute * MINUTE_MS,
        size_ms=size_ms, first=1, last=2, low=1, high=2, samples=2,
    )  # fmt: skip


def counters(at_ms: int, views: dict[int, int | None], channel: ChannelId = ONE) -> PostCounters:
    nothing: list[int | None] = [None] * len(views)
    return PostCounters(
        channel_id=channel, observed_at_ms=at_ms, post_ids=[PostId(p) for p in views],
        dates_ms=nothing, views=list(views.values()), forwards=nothing, replies=nothing,
        reactions=nothing,
    )  # fmt: skip


def alert(number: int, state: str = "raised", channel: ChannelId = ONE) -> Alert:
    return Alert(
        channel_id=channel, observed_at_ms=number, alert_id=f"a{number}", type="spike",
        state=state, raised_at_ms=number, observed=2.0, expected=1.0, method="ratio",
    )  # fmt: skip


def decided(change: Change) -> Analytics:
    assert not isinstance(change, Figures)
    return change


def folded(*messages: Analytics) -> LiveView:
    view = LiveView()
    for message in messages:
        view.fold(message)
    return view


def test_a_change_is_taken_once_with_its_newest_value() -> None:
    view = folded(window(1, 5), window(1, 9))
    assert view.take_changes() == [window(1, 9)]
    assert view.take_changes() == []


def test_changes_of_posts_come_as_one_message_a_channel() -> None:
    view = folded(counters(10, {1: 5, 2: 6}), counters(20, {2: 8}))
    assert view.take_changes() == [counters(20, {1: 5, 2: 8})]


def test_windows_are_kept_in_order_and_bounded() -> None:
    view = folded(*(window(minute) for minute in range(WINDOWS + 30, 0, -1)))
    starts = [w.start_ms // MINUTE_MS for w in view.everything().windows]
    assert starts == list(range(31, WINDOWS + 31))


def test_posts_are_the_newest_and_bounded() -> None:
    view = folded(counters(1, {p: p for p in range(1, POSTS + 50)}), counters(2, {3: 9}))
    (posts,) = view.everything().posts
    assert posts.post_ids == list(range(50, POSTS + 50))


def test_an_old_post_that_is_not_kept_changes_nothing() -> None:
    view = folded(counters(1, {p: p for p in range(100, 100 + POSTS)}))
    view.take_changes()
    view.fold(counters(2, {3: 9}))
    assert view.take_changes() == []


def test_alerts_are_bounded_and_an_update_makes_one_the_newest() -> None:
    view = folded(*(alert(n) for n in range(LAST + 5)), alert(10, "resolved"))
    alerts = view.everything().alerts
    assert len(alerts) == LAST
    assert alerts[-1] == alert(10, "resolved")
    assert alerts[0] == alert(5)


def test_only_minutes_of_subscribers_are_live() -> None:
    view = folded(subscribers(1), subscribers(0, 3_600_000))
    assert view.everything().subscribers == [subscribers(1)]


def test_ages_of_posts_are_not_live() -> None:
    view = folded(PostAge(channel_id=ONE, observed_at_ms=1, post_id=PostId(1), age_s=300))
    assert view.take_changes() == []


def test_what_was_not_asked_for_is_left_out() -> None:
    view = folded(window(1), window(1, channel=TWO), alert(1), alert(2, channel=TWO))
    data = view.everything(frozenset([TWO]))
    assert (data.windows, data.alerts) == ([window(1, channel=TWO)], [alert(2, channel=TWO)])


def test_a_list_has_columns_in_place_of_windows() -> None:
    now_ms = 120 * MINUTE_MS + 20_000
    view = folded(
        window(59, 1), window(60, 2), window(61, None), window(120, 7), window(59, 3, TWO),
        subscribers(100), counters(1, {1: 5}), alert(1),
        ChannelSummary(channel_id=ONE, observed_at_ms=1, title="One"),
    )  # fmt: skip
    data = view.listed(now_ms)
    assert data.minutes == [Minutes(ONE, 60 * MINUTE_MS, [2, *[None] * 59, 7])]
    assert [channel.title for channel in data.channels] == ["One"]
    assert (data.windows, data.subscribers, data.posts) == ([], [], [])
    assert data.alerts == [alert(1)]


def test_a_channel_by_its_newest_name() -> None:
    view = folded(
        ChannelSummary(channel_id=ONE, observed_at_ms=1, username="Old"),
        ChannelSummary(channel_id=ONE, observed_at_ms=2, username="New"),
        ChannelSummary(channel_id=TWO, observed_at_ms=2),
    )
    assert (view.channel_named("new"), view.channel_named("old")) == (ONE, None)


MESSAGES = st.lists(
    st.one_of(
        st.builds(window, st.integers(0, 300), st.integers(0, 9), st.sampled_from([ONE, TWO])),
        st.builds(subscribers, st.integers(0, 300)),
        st.builds(
            counters,
            st.integers(0, 99),
            st.dictionaries(st.integers(1, 300), st.integers(0, 9), min_size=1, max_size=8),
            st.sampled_from([ONE, TWO]),
        ),
        st.builds(alert, st.integers(0, 99), st.sampled_from(["raised", "resolved"])),
    ),
    max_size=200,
)


@given(MESSAGES, st.integers(1, 50))
def test_changes_fold_to_what_a_snapshot_holds(messages: list[Analytics], every: int) -> None:
    source, client = LiveView(), LiveView()
    for number, message in enumerate(messages):
        source.fold(message)
        if number % every == 0:
            for change in source.take_changes():
                client.fold(decided(change))
    for change in source.take_changes():
        client.fold(decided(change))
    everything = source.everything()
    assert sorted(map(repr, changes_of(client.everything()))) == sorted(
        map(repr, changes_of(everything))
    )
