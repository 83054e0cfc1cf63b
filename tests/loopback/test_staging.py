"""What the demo adds to its recording: posts that come, take off, change and go; subscribers."""

from hypothesis import given
from hypothesis import strategies as st

from loopback.played import PlayedChannel
from loopback.player import Player
from loopback.staging import (
    AUDIENCES,
    MARK,
    STAGED,
    TAKES_OFF_MS,
    Audience,
    StagedPost,
    taking_off,
    usual,
)
from loopback.world.channel import Kind, WorldChannel
from loopback.world.world import Happening, LogWritten, World
from streams.ids import ChannelId
from streams.units import DAY_MS, MINUTE_MS
from tests.loopback.test_player import HOUR_MS, START_MS, HandClock, recorded

ages = st.lists(st.integers(0, 3 * DAY_MS), min_size=2).map(sorted)


def play(*staged: StagedPost, audience: Audience | None = None) -> "Stage":
    return Stage(recorded(), staged, audience)


class Stage:
    """Channel `five` with posts 1 to 6 as history, and 7 to 10 an hour apart from minute 1 on."""

    def __init__(
        self, channel: PlayedChannel, staged: tuple[StagedPost, ...], audience: Audience | None
    ) -> None:
        self.clock = HandClock()
        self.world = World(self.clock)
        audiences = {} if audience is None else {"five": audience}
        self.player = Player(self.world, [channel], {"five": staged}, audiences)
        self.happenings: list[Happening] = []
        self.world.listen(self.happenings.append)

    @property
    def channel(self) -> WorldChannel:
        return self.world.channels[ChannelId(5)]

    def play_to(self, minute: float) -> None:
        self.clock.ms = START_MS + int(minute * MINUTE_MS)
        self.player.step(self.clock.ms)

    def written(self, kind: Kind) -> list[int]:
        entries = [one.entry for one in self.happenings if isinstance(one, LogWritten)]
        return [post_id for entry in entries if entry.kind is kind for post_id in entry.post_ids]


def test_a_staged_post_takes_the_next_id_and_those_behind_it_move_up() -> None:
    stage = play(StagedPost(at_ms=5 * MINUTE_MS, text="staged", growth=usual(100)))
    stage.play_to(70)
    posts = [(post.post_id, post.text) for post in stage.channel.newest(3)]
    assert posts == [(9, "post 8"), (8, "staged"), (7, "post 7")]


def test_an_album_is_its_photos_with_one_id_and_one_text() -> None:
    stage = play(StagedPost(at_ms=5 * MINUTE_MS, text="album", growth=usual(100), photos=3))
    stage.play_to(10)
    photos = stage.channel.newest(3)[::-1]
    assert [photo.post_id for photo in photos] == [8, 9, 10]
    assert len({photo.album_id for photo in photos}) == 1
    assert photos[0].album_id is not None
    assert [photo.text for photo in photos] == ["album", "", ""]
    assert {photo.media for photo in photos} == {"photo"}


def test_an_edit_and_a_deletion_come_at_their_times() -> None:
    edited = StagedPost(
        at_ms=2 * MINUTE_MS,
        text="old",
        growth=usual(9),
        edit_at_ms=4 * MINUTE_MS,
        edited_text="new",
    )
    deleted = StagedPost(
        at_ms=3 * MINUTE_MS, text="gone", growth=usual(9), delete_at_ms=6 * MINUTE_MS
    )
    stage = play(edited, deleted)
    stage.play_to(3.5)
    assert (stage.written(Kind.EDIT), stage.written(Kind.DELETE)) == ([], [])
    stage.play_to(5)
    assert stage.written(Kind.EDIT) == [8]
    post = stage.channel.newest(2)[1]
    assert (post.text, post.edit_date_ms) == ("new", START_MS + 4 * MINUTE_MS)
    stage.play_to(7)
    assert stage.written(Kind.DELETE) == [9]
    assert [post.post_id for post in stage.channel.newest(2)] == [8, 7]


@given(ages)
def test_staged_counters_never_fall(at_ms: list[int]) -> None:
    for growth in (usual(5000), taking_off(5000, after_ms=HOUR_MS, more=20_000)):
        counters = [growth(age_ms) for age_ms in at_ms]
        for column in zip(
            *((one.views, one.forwards, one.replies) for one in counters), strict=True
        ):
            assert list(column) == sorted(column)


def test_what_takes_off_is_usual_before_and_far_above_after() -> None:
    off, on = taking_off(5000, after_ms=HOUR_MS, more=20_000), usual(5000)
    assert off(HOUR_MS).views == on(HOUR_MS).views
    later, usually = off(2 * HOUR_MS).views, on(2 * HOUR_MS).views
    assert later is not None
    assert usually is not None
    assert later > 10 * usually


def test_subscribers_are_modelled_only_where_none_are_recorded() -> None:
    audience = Audience(1000, 24)
    recorded_ones = play(audience=audience).channel
    assert recorded_ones.subscribers(START_MS) == 50
    channel = PlayedChannel(ChannelId(5), "five", "Five", recorded().posts)
    modelled = Stage(channel, (), audience).channel
    assert modelled.subscribers(START_MS) == 1000
    assert modelled.subscribers(START_MS + DAY_MS) == 1024


def test_what_the_demo_stages_is_marked_and_takes_off_when_it_says() -> None:
    staged = [post for posts in STAGED.values() for post in posts]
    assert all(MARK in post.text for post in staged)
    assert all(MARK in post.edited_text for post in staged if post.edit_at_ms is not None)
    (star,) = STAGED["d_code"]
    before = star.growth(TAKES_OFF_MS - star.at_ms).views
    after = star.growth(TAKES_OFF_MS - star.at_ms + 10 * MINUTE_MS).views
    assert before is not None
    assert after is not None
    assert after > 5 * before
    assert set(STAGED) <= set(AUDIENCES)
