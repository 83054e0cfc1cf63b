"""Buttons under messages, and the data that a press of one sends."""

from collections.abc import Collection, Sequence
from typing import Literal

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bot import texts
from clickhouse.reader import Channel

#: The kind of the message above a button.
View = Literal["list", "overview", "alert"]


class ShowChannels(CallbackData, prefix="channels"):
    page: int


class ShowOverview(CallbackData, prefix="overview"):
    channel_id: int
    #: True: replace the message (refresh); False: send a new one.
    again: bool = False


class SetAlerts(CallbackData, prefix="alerts"):
    channel_id: int
    on: bool
    view: str
    page: int = 0


def under_channels(
    channels: Sequence[Channel], subscribed: Collection[int], page: int, pages: int
) -> InlineKeyboardMarkup:
    rows = [_channel(channel, channel.id in subscribed, page) for channel in channels]
    turns = []
    if page > 0:
        turns.append(_button(texts.OLDER, ShowChannels(page=page - 1)))
    if page + 1 < pages:
        turns.append(_button(texts.NEWER, ShowChannels(page=page + 1)))
    return InlineKeyboardMarkup(inline_keyboard=[*rows, turns] if turns else rows)


def under_overview(channel: Channel, is_subscribed: bool) -> InlineKeyboardMarkup:
    refresh = ShowOverview(channel_id=channel.id, again=True)
    toggle = _alerts(channel.id, is_subscribed, "overview")
    return InlineKeyboardMarkup(inline_keyboard=[[_button(texts.REFRESH, refresh), toggle]])


def under_alert(channel_id: int) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[_alerts(channel_id, True, "alert")]])


def _channel(channel: Channel, is_subscribed: bool, page: int) -> list[InlineKeyboardButton]:
    title = texts.title_of(channel)
    short = title if len(title) <= 28 else f"{title[:27]}…"
    toggle = SetAlerts(channel_id=channel.id, on=not is_subscribed, view="list", page=page)
    return [
        _button(short, ShowOverview(channel_id=channel.id)),
        _button(_label(is_subscribed), toggle),
    ]


def _alerts(channel_id: int, is_subscribed: bool, view: View) -> InlineKeyboardButton:
    change = SetAlerts(channel_id=channel_id, on=not is_subscribed, view=view)
    return _button(_label(is_subscribed), change)


def _label(is_subscribed: bool) -> str:
    return texts.ALERTS_OFF if is_subscribed else texts.ALERTS_ON


def _button(text: str, press: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=press.pack())
