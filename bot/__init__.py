"""The Telegram bot: overviews on request, alerts to subscribed chats."""

from bot.late_models import import_aiogram

# This must precede the first import of aiogram by a module of the bot.
import_aiogram()
