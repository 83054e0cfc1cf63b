"""The loopback Bot API as the unpatched aiogram meets it."""

import asyncio
from collections.abc import AsyncIterator

import aiogram
import pytest
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import LogOut
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)

from loopback.bot_api import TOKEN, BotApi, UnknownMethod
from tests.patience import PATIENCE_S

ANN = 5


def aiogram_bot(api: BotApi, token: str = TOKEN) -> aiogram.Bot:
    session = AiohttpSession(api=TelegramAPIServer.from_base(api.url))
    return aiogram.Bot(token, session=session)


def keyboard(*rows: tuple[tuple[str, str], ...]) -> InlineKeyboardMarkup:
    buttons = [
        [InlineKeyboardButton(text=text, callback_data=data) for text, data in row] for row in rows
    ]
    return InlineKeyboardMarkup(inline_keyboard=buttons)


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as api:
        api.open_chat(ANN)
        yield api


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[aiogram.Bot]:
    async with aiogram_bot(api) as bot:
        yield bot


async def test_it_says_who_the_bot_is(bot: aiogram.Bot) -> None:
    me = await bot.get_me()
    assert me.is_bot
    assert me.id == 42


async def test_another_token_is_unauthorized(api: BotApi) -> None:
    async with aiogram_bot(api, "43:other") as stranger:
        with pytest.raises(TelegramUnauthorizedError):
            await stranger.get_me()
    assert not api.calls


async def test_updates_come_once_confirmed_and_in_order(api: BotApi, bot: aiogram.Bot) -> None:
    for text in ("one", "two", "/three now"):
        api.message(ANN, text)
    first = await bot.get_updates(limit=2, timeout=5)
    assert [update.message.text for update in first if update.message] == ["one", "two"]
    again = await bot.get_updates(timeout=5)
    assert [update.update_id for update in again] == [1, 2, 3]
    rest = await bot.get_updates(offset=again[1].update_id + 1, timeout=5)
    assert [update.update_id for update in rest] == [3]
    assert rest[0].message
    assert rest[0].message.entities
    assert rest[0].message.entities[0].extract_from("/three now") == "/three"
    assert await bot.get_updates(offset=4) == []


async def test_a_long_poll_waits_for_what_comes(api: BotApi, bot: aiogram.Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=60))
    await api.until(lambda: len(api.called("getUpdates")) == 1)
    api.message(ANN, "hello")
    assert len(await poll) == 1
    assert len(api.called("getUpdates")) == 1


async def test_stopping_ends_a_long_poll() -> None:
    api = BotApi()
    await api.start()
    async with aiogram_bot(api) as bot:
        poll = asyncio.create_task(bot.get_updates(timeout=60))
        await api.until(lambda: len(api.called("getUpdates")) == 1)
        async with asyncio.timeout(PATIENCE_S):
            await api.stop()
            assert await poll == []


async def test_a_second_copy_of_a_bot_ends_the_first_poll(api: BotApi, bot: aiogram.Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=60))
    await api.until(lambda: len(api.called("getUpdates")) == 1)
    second = asyncio.create_task(bot.get_updates(timeout=60))
    with pytest.raises(TelegramConflictError):
        await first
    api.message(ANN, "hello")
    assert len(await second) == 1


async def test_a_press_of_a_button(api: BotApi, bot: aiogram.Bot) -> None:
    await bot.send_message(ANN, "choose", reply_markup=keyboard((("Yes", "y"), ("No", "n"))))
    (sent,) = api.sent(ANN)
    query_id = api.click(sent, "No")
    (update,) = await bot.get_updates(timeout=5)
    assert update.callback_query
    assert update.callback_query.data == "n"
    assert isinstance(update.callback_query.message, Message)
    assert update.callback_query.message.message_id == sent.message_id
    await bot.answer_callback_query(update.callback_query.id, "Well")
    assert await api.answer_to(query_id) == "Well"
    with pytest.raises(LookupError, match="no button 'Perhaps'"):
        api.click(sent, "Perhaps")


async def test_text_is_formatted_and_links_are_seen(api: BotApi, bot: aiogram.Bot) -> None:
    message = await bot.send_message(ANN, "<b>10</b> &lt; 20", parse_mode="HTML")
    assert message.text == "10 < 20"
    assert message.entities
    assert message.html_text == "<b>10</b> &lt; 20"
    assert api.sent(ANN)[0].source == "<b>10</b> &lt; 20"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<b>open", "can't parse entities: Can't find end tag"),
        ("x" * 4097, "message is too long"),
        ("<b> </b>", "message text is empty"),
    ],
)
async def test_text_that_telegram_refuses(bot: aiogram.Bot, text: str, reason: str) -> None:
    with pytest.raises(TelegramBadRequest, match=reason):
        await bot.send_message(ANN, text, parse_mode="HTML")


async def test_the_longest_text_is_taken(bot: aiogram.Bot) -> None:
    await bot.send_message(ANN, "<b>" + "x" * 4096 + "</b>", parse_mode="HTML")


async def test_an_edit_replaces_text_and_buttons(api: BotApi, bot: aiogram.Bot) -> None:
    message = await bot.send_message(ANN, "before", reply_markup=keyboard((("Go", "go"),)))
    await bot.edit_message_text("after", chat_id=ANN, message_id=message.message_id)
    (sent,) = api.sent(ANN)
    assert (sent.text, sent.buttons, sent.edits) == ("after", [], 1)


async def test_an_edit_that_changes_nothing_is_refused(bot: aiogram.Bot) -> None:
    message = await bot.send_message(ANN, "same")
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await message.edit_text("same")
    await message.edit_text("other")
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await message.edit_text("other")
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_message_text("same", chat_id=ANN, message_id=999)


async def test_files_arrive_with_their_size(api: BotApi, bot: aiogram.Bot) -> None:
    photo = await bot.send_photo(ANN, BufferedInputFile(b"x" * 5000, "chart.png"), caption="growth")
    assert photo.photo
    assert (photo.photo[0].file_size, photo.caption) == (5000, "growth")
    sheet = await bot.send_document(ANN, BufferedInputFile(b"a,b\n", "report.csv"))
    assert sheet.document
    assert (sheet.document.file_name, sheet.document.file_size) == ("report.csv", 4)
    assert [sent.text for sent in api.sent(ANN)] == ["growth", ""]


async def test_what_a_bot_sets_up_at_its_start(api: BotApi, bot: aiogram.Bot) -> None:
    api.message(ANN, "old")
    assert await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == []
    assert await bot.set_my_commands([BotCommand(command="start", description="begin")])
    assert (await bot.get_chat(ANN)).first_name == "Ann"


async def test_who_may_not_be_written_to(api: BotApi, bot: aiogram.Bot) -> None:
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(6, "hello")
    api.block(ANN)
    with pytest.raises(TelegramForbiddenError, match="bot was blocked"):
        await bot.send_message(ANN, "hello")
    api.message(ANN, "I am back")
    await bot.send_message(ANN, "hello")


async def test_faults_as_planned(api: BotApi, bot: aiogram.Bot) -> None:
    api.flood("sendMessage", 3)
    api.fail("sendMessage", 502, "Bad Gateway", times=2)
    api.fail("sendMessage", 400, "Bad Request: upgraded", migrate_to_chat_id=-1005)
    with pytest.raises(TelegramRetryAfter) as flood:
        await bot.send_message(ANN, "x")
    assert flood.value.retry_after == 3
    for _ in range(2):
        with pytest.raises(TelegramServerError):
            await bot.send_message(ANN, "x")
    with pytest.raises(TelegramMigrateToChat):
        await bot.send_message(ANN, "x")
    assert api.sent(ANN) == []
    await bot.send_message(ANN, "x")


async def test_a_fault_of_one_chat_leaves_the_others_alone(api: BotApi, bot: aiogram.Bot) -> None:
    api.open_chat(6)
    api.fail("sendMessage", 500, "Internal Server Error", chat_id=6)
    await bot.send_message(ANN, "x")
    with pytest.raises(TelegramServerError):
        await bot.send_message(6, "x")


async def test_a_lost_answer_has_had_its_effect(api: BotApi, bot: aiogram.Bot) -> None:
    api.fail("sendMessage", 0, "", lose_answer=True)
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(ANN, "x")
    assert [sent.text for sent in api.sent(ANN)] == ["x"]


async def test_an_unknown_method_fails_twice() -> None:
    with pytest.raises(UnknownMethod, match="logOut"):
        async with BotApi() as api, aiogram_bot(api) as bot:
            with pytest.raises(TelegramNotFound):
                await bot(LogOut())


async def test_buttons_that_telegram_refuses(bot: aiogram.Bot) -> None:
    with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
        await bot.send_message(ANN, "x", reply_markup=keyboard((("Go", "x" * 65),)))
