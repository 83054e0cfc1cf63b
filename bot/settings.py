"""The bot's settings; the environment is read elsewhere."""

import msgspec


class BotSettings(msgspec.Struct, frozen=True, kw_only=True):
    #: The public URL of the page, without a trailing slash.
    base_url: str = "http://127.0.0.1:8000"
    #: Chats that may use the bot; None: every chat.
    allowed_chats: frozenset[int] | None = None
    #: The least time between two edits of an alert's message, in seconds of the wall clock.
    edit_every_s: float = 30.0
    #: How long Telegram delays its answer to a poll while there are no updates.
    poll_s: int = 30
    #: How long an alert's message can still be found for an edit.
    remember_deliveries_ms: int = 30 * 86_400_000
