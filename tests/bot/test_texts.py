"""Every text, as it is sent: golden files, and Telegram's own rules."""

import msgspec
import pytest

from bot import texts
from bot.figures import change, figure, moment, percent
from clickhouse.reader import Channel, Evidence, Overview
from streams.ids import ChannelId, PostId
from streams.loopback.bot_api_html import read_html
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
NO_EVIDENCE = Evidence(None, 0.0, [])
EVIDENCE = Evidence(NOW_MS - 1_500, 0.875, ["recording", "telegram"])

TEXTS = {
    "start": texts.start(),
    "help": texts.help_(),
    "definitions": texts.definitions(),
    "channels": texts.channels([(DUROV, KNOWN), (NAMELESS, NOTHING)], 8, 10, LINKS),
    "overview": texts.overview(DUROV, KNOWN, EVIDENCE, NOW_MS, LINKS),
    "overview_nothing_known": texts.overview(NAMELESS, NOTHING, NO_EVIDENCE, NOW_MS, LINKS),
    "alert_raised": texts.alert(RAISED, DUROV, LINKS),
    "alert_updated": texts.alert(updated(1_234.4), DUROV, LINKS),
    "alert_resolved": texts.alert(resolved(), DUROV, LINKS),
    "alert_of_another_type": texts.alert(
        msgspec.structs.replace(
            RAISED, type="reach_lost", post_id=PostId(77), expected=None, method="a < b"
        ),
        None,
        LINKS,
    ),
    "which_channel": texts.which_channel("overview"),
    "no_such_channel": texts.no_such_channel("<script>" * 100),
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
    text = texts.channels([(longest, KNOWN)] * 8, 0, 8, LINKS)
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
    ],
)
def test_figures(written: str, expected: str) -> None:
    assert written == expected
