"""Sources of events: recordings and other logs, and the cursors of the Telegram source."""
