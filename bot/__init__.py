"""The Telegram bot: overviews on request, alerts to those who subscribed."""
