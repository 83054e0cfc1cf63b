"""The Telegram bot: overviews on request, alerts to those who subscribed."""

from bot.late_models import import_aiogram

# Before any module of the bot imports aiogram itself.
import_aiogram()
