"""The bot's answers: queries of history and the control store, turned into messages.

Independent of polling and updates. Methods raise HistoryError, ControlError.
"""

from collections.abc import Sequence
from typing import NamedTuple

from aiogram.types import InlineKeyboardMarkup

from bot import buttons, texts
from clickhouse.reader import Channel, Post, Reader
from control.store import ControlStore, Followed, Subscription
from control.unobserved import unobserved
from streams.clock import Clock
from streams.ids import ChannelId, InvalidChannel, PostId, parse_channel
from streams.units import DAY_MS

#: Channels in one message of the list.
PAGE = 8


class Reply(NamedTuple):
    text: str
    keyboard: InlineKeyboardMarkup | None = None


class Replies:
    def __init__(
        self, reader: Reader, control: ControlStore, clock: Clock, links: texts.Links
    ) -> None:
        self._reader = reader
        self._control = control
        self._clock = clock
        self.links = links

    async def channel(self, reference: str) -> Channel | None:
        """The channel; None if it was never observed. Raises InvalidChannel if malformed."""
        return await self._reader.channel(parse_channel(reference))

    async def channel_of(self, channel_id: int) -> Channel | None:
        """The channel; None if it was never observed, or if the number is not a channel id."""
        try:
            return await self.channel(str(channel_id))
        except InvalidChannel:
            return None

    async def post(self, channel_id: ChannelId, post_id: PostId) -> Post | None:
        found = await self._reader.post(channel_id, post_id)
        return found[0] if found else None

    async def channels(self, chat_id: int, page: int = 0) -> Reply:
        """The list of channels: the existing page nearest to `page`."""
        every = sorted(await self._reader.channels(), key=_by_size)
        lost = texts.unobserved(await self._unobserved(every))
        if not every:
            return Reply(lost or texts.NO_CHANNELS)
        pages = -(-len(every) // PAGE)
        page = min(max(page, 0), pages - 1)
        shown = every[page * PAGE : (page + 1) * PAGE]
        now_ms = self._clock.now_ms()
        rows = [
            (channel, *await self._reader.overview(channel.id, now_ms - DAY_MS, now_ms))
            for channel in shown
        ]
        text = texts.channels(rows, page * PAGE, len(every), self.links)
        if lost and page == pages - 1:
            text += f"\n\n{lost}"
        subscribed = await self._subscribed(chat_id)
        return Reply(text, buttons.under_channels(shown, subscribed, page, pages))

    async def overview(self, chat_id: int, channel: Channel) -> Reply:
        now_ms = self._clock.now_ms()
        known, evidence = await self._reader.overview(channel.id, now_ms - DAY_MS, now_ms)
        text = texts.overview(channel, known, evidence, now_ms, self.links)
        is_subscribed = channel.id in await self._subscribed(chat_id)
        return Reply(text, buttons.under_overview(channel, is_subscribed))

    async def subscribe(self, chat_id: int, channel: Channel) -> Reply:
        is_new = await self._control.subscribe(Subscription(chat_id, channel.id))
        return Reply(texts.subscribed(channel, is_new))

    async def unsubscribe(self, chat_id: int, channel: Channel) -> Reply:
        was_there = await self._control.unsubscribe(Subscription(chat_id, channel.id))
        return Reply(texts.unsubscribed(channel, was_there))

    async def forget(self, chat_id: int) -> None:
        """Remove all subscriptions of a chat that the bot can no longer write to."""
        for subscription in await self._control.subscriptions(chat_id):
            await self._control.unsubscribe(subscription)

    async def move(self, chat_id: int, new_chat_id: int) -> None:
        """Move the subscriptions of a group that became a supergroup to its new id."""
        for subscription in await self._control.subscriptions(chat_id):
            await self._control.subscribe(Subscription(new_chat_id, subscription.channel_id))
            await self._control.unsubscribe(subscription)

    async def _unobserved(self, known: Sequence[Channel]) -> Sequence[Followed]:
        return unobserved(await self._control.followed(), known)

    async def _subscribed(self, chat_id: int) -> set[ChannelId]:
        mine: Sequence[Subscription] = await self._control.subscriptions(chat_id)
        return {subscription.channel_id for subscription in mine}


def _by_size(channel: Channel) -> tuple[int, str]:
    """The sort key: the largest channels first, channels of unknown size last."""
    return -(channel.subscribers or 0), texts.title_of(channel).lower()
