"""Routes each message and press of a button to its answer: builds aiogram's dispatcher."""

import logging
from typing import Any

from aiogram import BaseMiddleware, Dispatcher, F, Router
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest, TelegramForbiddenError
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Chat, ErrorEvent, Message, TelegramObject

from bot import texts
from bot.buttons import SetAlerts, ShowChannels, ShowOverview
from bot.replies import Replies, Reply
from clickhouse.history import HistoryError
from clickhouse.reader import Channel
from control.store import ControlError
from streams.ids import InvalidChannel
from streams.metrics import Metrics

logger = logging.getLogger(__name__)
NOT_MODIFIED = "message is not modified"
#: The result of `feed_update` if the answer failed.
FAILED = object()


def build_dispatcher(
    replies: Replies, metrics: Metrics, allowed_chats: frozenset[int] | None
) -> Dispatcher:
    """A new dispatcher; Polling calls its `feed_update` per update, concurrently.

    `allowed_chats` None: every chat may use the bot.
    """
    dispatcher = Dispatcher(disable_fsm=True, replies=replies, metrics=metrics)
    dispatcher.include_router(_commands())
    dispatcher.include_router(_presses())
    dispatcher.errors.register(_failed)
    if allowed_chats is not None:
        guard = _Guard(allowed_chats, metrics)
        dispatcher.message.outer_middleware(guard)
        dispatcher.callback_query.outer_middleware(guard)
    return dispatcher


def _commands() -> Router:
    router = Router(name="commands")
    router.message.register(_start, Command("start"))
    router.message.register(_help, Command("help"))
    router.message.register(_definitions, Command("definitions"))
    router.message.register(_channels, Command("channels"))
    router.message.register(_overview, Command("overview"))
    router.message.register(_subscribe, Command("subscribe"))
    router.message.register(_unsubscribe, Command("unsubscribe"))
    router.message.register(_other, F.chat.type == "private")
    return router


def _presses() -> Router:
    router = Router(name="presses")
    router.callback_query.register(_show_channels, ShowChannels.filter())
    router.callback_query.register(_show_overview, ShowOverview.filter())
    router.callback_query.register(_set_alerts, SetAlerts.filter())
    router.callback_query.register(_outdated)
    return router


async def _start(message: Message) -> None:
    await message.answer(texts.start())


async def _help(message: Message) -> None:
    await message.answer(texts.help_())


async def _definitions(message: Message) -> None:
    await message.answer(texts.definitions())


async def _other(message: Message) -> None:
    await message.answer(texts.UNKNOWN_COMMAND)


async def _channels(message: Message, replies: Replies) -> None:
    await _send(message, await replies.channels(message.chat.id))


async def _overview(message: Message, command: CommandObject, replies: Replies) -> None:
    if channel := await _named(message, command, replies):
        await _send(message, await replies.overview(message.chat.id, channel))


async def _subscribe(message: Message, command: CommandObject, replies: Replies) -> None:
    if channel := await _named(message, command, replies):
        await _send(message, await replies.subscribe(message.chat.id, channel))


async def _unsubscribe(message: Message, command: CommandObject, replies: Replies) -> None:
    if channel := await _named(message, command, replies):
        await _send(message, await replies.unsubscribe(message.chat.id, channel))


async def _named(message: Message, command: CommandObject, replies: Replies) -> Channel | None:
    """The channel named after a command. None: the sender has received the reason."""
    if not command.args:
        await message.answer(texts.which_channel(command.command))
        return None
    try:
        channel = await replies.channel(command.args)
    except InvalidChannel as error:
        await message.answer(texts.no_channel(str(error)))
        return None
    if channel is None:
        await message.answer(texts.no_such_channel(command.args))
    return channel


async def _show_channels(
    query: CallbackQuery, callback_data: ShowChannels, replies: Replies
) -> None:
    if message := _under(query):
        await _replace(message, await replies.channels(message.chat.id, callback_data.page))
    await query.answer()


async def _show_overview(
    query: CallbackQuery, callback_data: ShowOverview, replies: Replies
) -> None:
    message, channel = _under(query), await replies.channel_of(callback_data.channel_id)
    if message is None or channel is None:
        await query.answer(texts.OUTDATED_BUTTON)
        return
    reply = await replies.overview(message.chat.id, channel)
    await (_replace if callback_data.again else _send)(message, reply)
    await query.answer()


async def _set_alerts(query: CallbackQuery, callback_data: SetAlerts, replies: Replies) -> None:
    message, channel = _under(query), await replies.channel_of(callback_data.channel_id)
    if message is None or channel is None:
        await query.answer(texts.OUTDATED_BUTTON)
        return
    change = replies.subscribe if callback_data.on else replies.unsubscribe
    await change(message.chat.id, channel)
    await query.answer(texts.subscribed_briefly(channel, callback_data.on))
    if callback_data.view == "list":
        await _replace(message, await replies.channels(message.chat.id, callback_data.page))
    elif callback_data.view == "overview":
        await _replace(message, await replies.overview(message.chat.id, channel))


async def _outdated(query: CallbackQuery) -> None:
    await query.answer(texts.OUTDATED_BUTTON)


def _under(query: CallbackQuery) -> Message | None:
    """The message whose button was pressed; None if it is too old for bots to access."""
    return query.message if isinstance(query.message, Message) else None


async def _send(message: Message, reply: Reply) -> None:
    await message.answer(reply.text, reply_markup=reply.keyboard)


async def _replace(message: Message, reply: Reply) -> None:
    try:
        await message.edit_text(reply.text, reply_markup=reply.keyboard)
    except TelegramBadRequest as error:
        if NOT_MODIFIED not in error.message:
            raise


async def _failed(event: ErrorEvent, replies: Replies, metrics: Metrics) -> object:
    """Count and log an error of an answer, and notify the sender. Returns FAILED."""
    error, update = event.exception, event.update
    metrics.error("bot", type(error).__name__)
    query = update.callback_query
    message = update.message or (_under(query) if query else None)
    if isinstance(error, TelegramForbiddenError) and message:
        await replies.forget(message.chat.id)
        return FAILED
    logger.error("answer_failed", extra={"update_id": update.update_id}, exc_info=error)
    if isinstance(error, TelegramAPIError):
        return FAILED
    text = texts.UNAVAILABLE if isinstance(error, HistoryError | ControlError) else texts.FAILED
    if query:
        await query.answer(text)
    elif message:
        await message.answer(text)
    return FAILED


class _Guard(BaseMiddleware):
    """Refuses all chats but the allowed ones; a private chat receives the reason."""

    def __init__(self, allowed: frozenset[int], metrics: Metrics) -> None:
        self._allowed = allowed
        self._metrics = metrics

    async def __call__(self, handler: Any, event: TelegramObject, data: dict[str, Any]) -> Any:
        chat: Chat | None = data.get("event_chat")
        if chat and chat.id in self._allowed:
            return await handler(event, data)
        self._metrics.dropped("bot", "chat_refused")
        if isinstance(event, Message) and event.chat.type == "private":
            await event.answer(texts.private_bot(event.chat.id))
        return None
