"""Every text, as it is sent: golden files, and Telegram's own rules."""

import msgspec
import pytest

from bot import texts
from bot.figures import change, figure, moment, of_hours, of_posts, percent
from clickhouse.evidence import Basis
from clickhouse.reader import Channel, Evidence, Overview, Post
from loopback.bot_api_html import read_html
from streams.ids import ChannelId, PostId
from tests.api.serving import CHANNEL, NOW_MS
from tests.bot import golden
from tests.bot.stage import RAISED, resolved, updated

LINKS = texts.Links("http://127.0.0.1:8000")
DUROV = Channel(CHANNEL, "durov", "Durov's <Channel> & co", 12_345, NOW_MS, NOW_MS, NOW_MS, "live")
NAMELESS = Channel(ChannelId(9), None, None, None, None, None, None, "away")
NOTHING = Overview(**dict.fromkeys(Overview.__struct_fields__))
KNOWN = Overview(
    12_345, -3, 2, 40_000, 1_500, 120, 0, 700, 20_000.0, 19_999.5, 162.0, None, 2.05, 2.0,
    5_000.0, None, None, None,
)  # fmt: skip
NO_EVIDENCE = Evidence([], {})
_AS_OF_MS = NOW_MS - 1_500
EVIDENCE = Evidence(
    ["recording", "telegram"],
    {
        "views_gained": Basis(0.25, 300, _AS_OF_MS),
        "subscribers_change": Basis(20.55 / 24, 9, _AS_OF_MS),
        "posts": Basis(0.9999, 2, _AS_OF_MS),
        **dict.fromkeys(("views", "forwards", "replies"), Basis(0.9999, 2, _AS_OF_MS)),
        **dict.fromkeys(("reactions", "er_by_views_percent"), Basis(0.5, 1, _AS_OF_MS)),
        "reach_1h": Basis(0.5, 1, _AS_OF_MS),
        "err_percent": Basis(0.9999, 2, _AS_OF_MS),
    },
)
SEVENTY_SEVEN = Post(
    PostId(77), NOW_MS, "Cats & <dogs>\nand so on", "https://t.me/durov/77", 1, 0, 0, 0, 0.0, None,
    edited=False, deleted=False,
)  # fmt: skip

TEXTS = {
    "start": texts.start(),
    "help": texts.help_(),
    "definitions": texts.definitions(),
    "channels": texts.channels(
        [(DUROV, KNOWN, EVIDENCE), (NAMELESS, NOTHING, NO_EVIDENCE)], 8, 10, LINKS
    ),
    "overview": texts.overview(DUROV, KNOWN, EVIDENCE, NOW_MS, LINKS),
    "overview_nothing_known": texts.overview(NAMELESS, NOTHING, NO_EVIDENCE, NOW_MS, LINKS),
    "alert_raised": texts.alert(RAISED, DUROV, None, LINKS),
    "alert_updated": texts.alert(
        msgspec.structs.replace(updated(1_234.4), post_id=PostId(77)), DUROV, SEVENTY_SEVEN, LINKS
    ),
    "alert_resolved": texts.alert(resolved(), DUROV, None, LINKS),
    "alert_of_another_type": texts.alert(
        msgspec.structs.replace(
            RAISED, type="reach_lost", post_id=PostId(77), expected=None, method="a < b"
        ),
        None,
        None,
        LINKS,
    ),
    "which_channel": texts.which_channel("overview"),
    "no_such_channel": texts.no_such_channel("<script>" * 100),
    "no_channel": texts.no_channel("'<b>' is not a channel: give a @username"),
    "subscribed": texts.subscribed(DUROV, True),
    "subscribed_already": texts.subscribed(DUROV, False),
    "unsubscribed": texts.unsubscribed(DUROV, True),
    "unsubscribed_already": texts.unsubscribed(DUROV, False),
    "private_bot": texts.private_bot(-100_5),
    "no_channels": texts.NO_CHANNELS,
    "unknown_command": texts.UNKNOWN_COMMAND,
    "failed": texts.FAILED,
    "unavailable": texts.UNAVAILABLE,
}


@pytest.mark.parametrize("name", TEXTS)
def test_text(name: str) -> None:
    golden.check(name, TEXTS[name])


@pytest.mark.parametrize("name", TEXTS)
def test_telegram_takes_it(name: str) -> None:
    assert 0 < len(read_html(TEXTS[name]).text) <= 4096


def test_a_page_of_the_longest_titles_fits_into_a_message() -> None:
    longest = msgspec.structs.replace(DUROV, title="<" * 128, username="x" * 32)
    text = texts.channels([(longest, KNOWN, EVIDENCE)] * 8, 0, 8, LINKS)
    assert len(read_html(text).text) <= 4096


def test_descriptions_of_commands_are_as_telegram_wants_them() -> None:
    assert all(3 <= len(text) <= 256 for text in texts.COMMANDS.values())


def test_what_is_not_known_is_a_dash() -> None:
    assert {figure(None), change(None), percent(None), moment(None)} == {"—"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (figure(0), "0"),
        (figure(1_234_567), "1,234,567"),
        (figure(1234.56), "1,235"),
        (figure(12.34), "12.3"),
        (figure(-5), "−5"),
        (change(0), "±0"),
        (change(1_500), "+1,500"),
        (change(-1_500), "−1,500"),
        (percent(0.0), "0.0 %"),
        (percent(162), "162 %"),
        (moment(NOW_MS), "2026-03-01 12:00 UTC"),
        (of_hours(0.25, 24), "6 of 24 h"),
        (of_hours(0.01, 24), "14 min of 24 h"),
        (of_hours(0.989, 24), "23.7 of 24 h"),
        (of_hours(0.9999, 24), ""),
        (of_hours(0.0, 24), "0 of 24 h"),
        (of_hours(0.0035, 24), "5 min of 24 h"),
        (of_posts(Basis(0.1, 53, None), 640), "53 of 640 posts"),
        (of_posts(Basis(1.0, 640, None), 640), ""),
        (of_posts(Basis(0.1, 53, None), None), "53 posts"),
        (of_posts(None, 3), ""),
    ],
)
def test_figures(written: str, expected: str) -> None:
    assert written == expected
