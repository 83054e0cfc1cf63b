"""Delivers one alert to one chat: a message, and edits of that message as the alert changes.

Idempotent: the control store keeps the message per alert and chat. A process that is killed after
Telegram accepts a message, but before the store does, sends that one message again.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramMigrateToChat

from bot import texts
from bot.buttons import under_alert
from bot.dispatcher import NOT_MODIFIED
from bot.patience import outlast
from bot.replies import Replies
from clickhouse.history import HistoryError
from clickhouse.reader import Channel, Post
from control.store import ControlStore, Delivery, Subscription
from streams.analytics import Alert
from streams.clock import Clock
from streams.metrics import Metrics

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: In the order in which an alert passes through them.
STATES = ("raised", "updated", "resolved")
#: How long a stopping bot waits for a message in flight.
GRACE_S = 2.0
_CHAT_IS_GONE = ("chat not found", "user is deactivated", "not enough rights to send", "PEER_ID")


class AlertSender:
    """Called by Alerts, for several chats concurrently.

    `chats` and `deliver` wait while Telegram or the control store is unavailable.
    """

    def __init__(
        self, bot: Bot, replies: Replies, control: ControlStore, clock: Clock, metrics: Metrics
    ) -> None:
        self._bot = bot
        self._replies = replies
        self._control = control
        self._clock = clock
        self._metrics = metrics

    async def chats(self, alert: Alert) -> Sequence[Subscription]:
        return await outlast(lambda: self._control.subscribers(alert.channel_id), self._metrics)

    async def deliver(self, alert: Alert, chat_id: int) -> bool:
        """Send or edit the chat's message of an alert. Returns False if nothing was sent.

        Nothing is sent if the chat already has this state of the alert, or a newer one. A chat that
        blocks the bot or is gone is unsubscribed; a group that became a supergroup receives the
        alert there. On cancellation, waits up to GRACE_S to record the delivery.
        """
        known = await outlast(
            lambda: self._control.delivery(alert.alert_id, chat_id), self._metrics
        )
        if not is_news(alert, known):
            return False
        try:
            await _finished(self._tell(alert, chat_id, known.message_id if known else None))
        except TelegramMigrateToChat as moved:
            await self._replies.move(chat_id, moved.migrate_to_chat_id)
            return await self.deliver(alert, moved.migrate_to_chat_id)
        except TelegramForbiddenError:
            await self._give_up(chat_id, "blocked")
            return False
        except TelegramBadRequest as error:
            await self._refused(chat_id, error)
            return False
        self._metrics.sent("bot")
        if known is None:
            # Only first messages are measured: edits are delayed on purpose.
            way_ms = self._clock.now_ms() - alert.observed_at_ms
            self._metrics.arrived("bot", way_ms / 1000 / self._clock.speed)
        return True

    async def _tell(self, alert: Alert, chat_id: int, message_id: int | None) -> None:
        channel, post = await self._channel(alert), await self._post(alert)
        text = texts.alert(alert, channel, post, self._replies.links)
        if message_id is None:
            message_id = await self._send(chat_id, text, alert.channel_id)
        else:
            await self._edit(chat_id, message_id, text, alert.channel_id)
        now = Delivery(alert.alert_id, chat_id, message_id, alert.state, alert.observed_at_ms)
        await outlast(lambda: self._control.put_delivery(now), self._metrics)

    async def _send(self, chat_id: int, text: str, channel_id: int) -> int:
        keyboard = under_alert(channel_id)
        message = await outlast(
            lambda: self._bot.send_message(chat_id, text, reply_markup=keyboard), self._metrics
        )
        return message.message_id

    async def _edit(self, chat_id: int, message_id: int, text: str, channel_id: int) -> None:
        """Edit a message. An unchanged message, or one its reader deleted, counts as edited."""
        keyboard = under_alert(channel_id)
        try:
            await outlast(
                lambda: self._bot.edit_message_text(
                    text, chat_id=chat_id, message_id=message_id, reply_markup=keyboard
                ),
                self._metrics,
            )
        except TelegramBadRequest as error:
            gone = ("message to edit not found", "message can't be edited", NOT_MODIFIED)
            if not any(reason in error.message for reason in gone):
                raise

    async def _channel(self, alert: Alert) -> Channel | None:
        """The alert's channel. None if history fails, so that the alert names the channel's id."""
        with suppress(HistoryError):
            return await self._replies.channel_of(alert.channel_id)
        return None

    async def _post(self, alert: Alert) -> Post | None:
        """The alert's post. None if history fails or lacks it, so that the alert names its id."""
        if alert.post_id is not None:
            with suppress(HistoryError):
                return await self._replies.post(alert.channel_id, alert.post_id)
        return None

    async def _refused(self, chat_id: int, error: TelegramBadRequest) -> None:
        if any(reason in error.message for reason in _CHAT_IS_GONE):
            await self._give_up(chat_id, "chat_gone")
            return
        logger.error("alert_refused", extra={"chat_id": chat_id, "reason": error.message})
        self._metrics.dropped("bot", "refused")

    async def _give_up(self, chat_id: int, reason: str) -> None:
        await outlast(lambda: self._replies.forget(chat_id), self._metrics)
        logger.info("unsubscribed", extra={"chat_id": chat_id, "reason": reason})
        self._metrics.dropped("bot", reason)


def is_news(alert: Alert, known: Delivery | None) -> bool:
    """Whether `alert` is news for a chat whose last delivery is `known`.

    A resolved alert is not news for a chat that never received it.
    """
    if known is None:
        return alert.state != "resolved"
    told = known.observed_at_ms, _order(known.state)
    return known.state != "resolved" and (alert.observed_at_ms, _order(alert.state)) > told


def _order(state: str) -> int:
    return STATES.index(state) if state in STATES else STATES.index("updated")


async def _finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`. On cancellation, `work` has GRACE_S to record what it has sent."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=GRACE_S)
        task.cancel()
        raise
