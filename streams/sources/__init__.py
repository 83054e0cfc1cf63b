"""Where events come from: Telegram, and recordings."""
