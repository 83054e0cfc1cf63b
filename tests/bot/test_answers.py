"""What the bot answers to commands and buttons."""

import asyncio

import pytest

from bot import texts
from clickhouse.reader import Channel
from control.store import Standing, Subscription
from streams.ids import ChannelId, InvalidChannel, Username, parse_channel
from tests.api.reading import AwayReader, BrokenReader, FixedReader
from tests.api.serving import CHANNEL
from tests.bot.stage import ANN, BEN, Stage
from tests.patience import PATIENCE_S


class ManyChannels(FixedReader):
    async def channels(self) -> list[Channel]:
        return [
            Channel(ChannelId(number), None, f"Channel {number}", number, None, None, None, "live")
            for number in range(1, 20)
        ]


class NoChannels(FixedReader):
    async def channels(self) -> list[Channel]:
        return []

    async def channel(self, named: ChannelId | Username) -> None:
        return None


def refusal(text: str) -> str:
    with pytest.raises(InvalidChannel) as raised:
        parse_channel(text)
    return str(raised.value)


async def test_start_says_what_this_is_and_the_menu_is_set(stage: Stage) -> None:
    async with stage.running():
        answer = await stage.ask("/start")
        assert answer.source == texts.start()
    menu = stage.api.called("setMyCommands")[-1].json("commands")
    assert [command["command"] for command in menu] == list(texts.COMMANDS)


async def test_help_and_what_is_not_understood(stage: Stage) -> None:
    async with stage.running():
        assert (await stage.ask("/help")).source == texts.help_()
        assert (await stage.ask("/definitions")).source == texts.definitions()
        assert (await stage.ask("/nothing")).source == texts.UNKNOWN_COMMAND
        assert (await stage.ask("hello")).source == texts.UNKNOWN_COMMAND


async def test_channels_with_figures_and_buttons(stage: Stage) -> None:
    async with stage.running():
        answer = await stage.ask("/channels")
    assert "10 subscribers · +400 views in 12 of 24 h" in answer.text
    assert "as of 2026-03-01 11:59 UTC" in answer.text
    labels = [[button.text for button in row] for row in answer.buttons]
    assert labels == [["Durov", texts.ALERTS_ON]]


async def test_channels_by_pages(stage: Stage) -> None:
    stage.reader = ManyChannels()
    async with stage.running():
        first = await stage.ask("/channels")
        assert "Channels 1–8 of 19" in first.text
        assert first.text.index("Channel 19") < first.text.index("Channel 18")
        for turn, expected in (
            (texts.NEWER, "9–16"),
            (texts.NEWER, "17–19"),
            (texts.OLDER, "9–16"),
        ):
            await stage.press(stage.sent()[0], turn)
            assert expected in stage.sent()[0].text
    assert len(stage.sent()) == 1


async def test_no_channels_yet(stage: Stage) -> None:
    stage.reader = NoChannels()
    async with stage.running():
        assert (await stage.ask("/channels")).source == texts.NO_CHANNELS


async def test_channels_that_cannot_be_observed_are_named_with_the_reason(stage: Stage) -> None:
    nobody = Standing("not_found", "nobody on Telegram has the name @typo<name", None, 0)
    await stage.control.follow("typoname", 0)
    await stage.control.put_standing("typoname", nobody)
    await stage.control.follow("pendingname", 0)
    stage.reader = ManyChannels()
    async with stage.running():
        first = await stage.ask("/channels")
        assert "typoname" not in first.text
        for _ in range(2):
            await stage.press(stage.sent()[0], texts.NEWER)
        last = stage.sent()[0].text
        assert "@typoname: nobody on Telegram has the name @typo<name" in last
        assert "pendingname" not in last


async def test_nothing_but_a_name_that_leads_nowhere(stage: Stage) -> None:
    for n in range(8):
        await stage.control.follow(f"typo{n}", 0)
        await stage.control.put_standing(f"typo{n}", Standing("not_found", "nobody", None, 0))
    stage.reader = NoChannels()
    async with stage.running():
        answer = await stage.ask("/channels")
        assert "@typo4: nobody\nand 3 more" in answer.text


async def test_overview_by_any_spelling(stage: Stage) -> None:
    async with stage.running():
        links = (
            "https://t.me/durov",
            "t.me/s/Durov",
            f"id{CHANNEL}",
            f"https://t.me/c/{CHANNEL}/5",
        )
        for spelling in ("durov", "@Durov", str(CHANNEL), f"-100{CHANNEL:010}", *links):
            answer = await stage.ask(f"/overview {spelling}")
            assert "Views gained: +400 · 12 of 24 h observed" in answer.text
            assert "Views per post after 24 h" not in answer.text
            assert "as of 2026-03-01 11:59 UTC · source: telegram" in answer.text


async def test_overview_of_what_is_no_channel(stage: Stage) -> None:
    async with stage.running():
        answer = await stage.ask("/overview nobody")
        assert answer.source == texts.no_such_channel("nobody")
        for wrong in ("<b>", "no channel at all", "99999999999999999999", "t.me/+AbCd"):
            answer = await stage.ask(f"/overview {wrong}")
            assert answer.source == texts.no_channel(refusal(wrong))
        assert (await stage.ask("/overview")).source == texts.which_channel("overview")


async def test_a_followed_name_is_lost_only_where_its_channel_was_never_observed(
    stage: Stage,
) -> None:
    for name in ("durov", "typoname"):
        await stage.control.follow(name, 1)
        await stage.control.put_standing(name, Standing("not_found", "nobody has it", None, 1))
    async with stage.running():
        text = (await stage.ask("/channels")).text
    assert "@typoname: nobody has it" in text
    assert "@durov: nobody has it" not in text


async def test_overview_by_button_and_refresh(stage: Stage) -> None:
    async with stage.running():
        channels = await stage.ask("/channels")
        await stage.press(channels, "Durov")
        overview = (await stage.api.sent_to(ANN, 2))[1]
        assert "Views gained: +400" in overview.text
        # Nothing has changed: Telegram refuses the edit, and nobody sees an error.
        assert await stage.press(overview, texts.REFRESH) == ""
    assert stage.sent()[1] == overview
    assert stage.counted("analyticbot_errors_total", kind="TelegramBadRequest") == 0


async def test_subscribing_by_command(stage: Stage) -> None:
    async with stage.running():
        assert "now gets alerts" in (await stage.ask("/subscribe @durov")).text
        assert "already gets alerts" in (await stage.ask("/subscribe durov")).text
        assert await stage.control.subscriptions(ANN) == [Subscription(ANN, CHANNEL)]
        assert "no longer gets alerts" in (await stage.ask("/unsubscribe durov")).text
        assert "was not getting alerts" in (await stage.ask("/unsubscribe durov")).text
        assert (await stage.ask("/subscribe")).source == texts.which_channel("subscribe")
    assert await stage.control.subscriptions(ANN) == []


async def test_subscribing_by_buttons(stage: Stage) -> None:
    async with stage.running():
        channels = await stage.ask("/channels")
        assert await stage.press(channels, texts.ALERTS_ON) == "Alerts on: Durov"
        await stage.api.until(lambda: stage.sent()[0].edits == 1)
        assert await stage.control.subscriptions(ANN) == [Subscription(ANN, CHANNEL)]
        overview = await stage.ask("/overview durov")
        assert await stage.press(overview, texts.ALERTS_OFF) == "Alerts off: Durov"
        await stage.api.until(lambda: stage.sent()[1].edits == 1)
        assert stage.sent()[1].button(texts.ALERTS_ON)
    assert await stage.control.subscriptions(ANN) == []


async def test_a_button_of_a_channel_that_is_gone(stage: Stage) -> None:
    async with stage.running():
        channels = await stage.ask("/channels")
    stage.reader = NoChannels()
    async with stage.running():
        assert await stage.press(channels, "Durov") == texts.OUTDATED_BUTTON
        assert await stage.press(channels, texts.ALERTS_ON) == texts.OUTDATED_BUTTON


async def test_history_that_is_away_is_said(stage: Stage) -> None:
    stage.reader = AwayReader()
    async with stage.running():
        assert (await stage.ask("/channels")).source == texts.UNAVAILABLE
    assert stage.counted("analyticbot_errors_total", kind="HistoryUnavailable") == 1


async def test_a_bug_is_apologised_for_without_its_inside(stage: Stage) -> None:
    stage.reader = BrokenReader()
    async with stage.running():
        assert (await stage.ask("/channels")).source == texts.FAILED
    assert stage.counted("analyticbot_errors_total", kind="RuntimeError") == 1


async def test_a_flood_wait_of_one_chat_does_not_hold_the_others(stage: Stage) -> None:
    async with stage.running():
        stage.api.fail("sendMessage", 429, "Too Many Requests", chat_id=ANN, retry_after=1)
        stage.api.message(ANN, "/start")
        await stage.api.until(lambda: len(stage.api.called("sendMessage")) == 1)
        await stage.ask("/start", BEN)
        assert stage.sent(ANN) == []
        await stage.api.sent_to(ANN, 1)
    assert stage.counted("analyticbot_errors_total", kind="flood_wait") == 1


async def test_who_blocks_the_bot_is_subscribed_to_nothing(stage: Stage) -> None:
    await stage.subscribe(ANN)
    stage.api.fail("sendMessage", 403, "Forbidden: bot was blocked by the user")
    async with stage.running():
        stage.api.message(ANN, "/start")
        await stage.api.until(lambda: len(stage.api.called("sendMessage")) == 1)
        async with asyncio.timeout(PATIENCE_S):
            while await stage.control.subscriptions(ANN):  # noqa: ASYNC110
                await asyncio.sleep(0)


async def test_an_update_is_answered_once_over_a_restart(stage: Stage) -> None:
    async with stage.running():
        await stage.ask("/start")
    async with stage.running():
        await stage.ask("/help")
    assert [sent.source for sent in stage.sent()] == [texts.start(), texts.help_()]
