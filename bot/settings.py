"""What the bot is told about itself; the environment is read elsewhere."""

import msgspec


class BotSettings(msgspec.Struct, frozen=True, kw_only=True):
    #: Where people reach the page, without a slash at the end.
    base_url: str = "http://127.0.0.1:8000"
    #: Chats that may use the bot; None: everybody who finds it.
    allowed_chats: frozenset[int] | None = None
    #: How often, at most, an alert's message follows its alert, in seconds of the wall clock.
    edit_every_s: float = 30.0
    #: How long Telegram holds a poll that has nothing to say.
    poll_s: int = 30
    #: How long an alert's message can still be found to be edited.
    remember_deliveries_ms: int = 30 * 86_400_000
