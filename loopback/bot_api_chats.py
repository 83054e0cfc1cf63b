"""The chats of the loopback Bot API: people, messages, and pending updates for the bot.

Messages are stored as the JSON objects that the Bot API sends.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from loopback.bot_api_html import BadMarkup, Formatted, read_html
from streams.clock import Clock

Json = dict[str, Any]
#: https://core.telegram.org/bots/api#sendmessage, after parsing of entities.
LONGEST_TEXT = 4096
#: https://core.telegram.org/bots/api#inlinekeyboardbutton, in bytes.
LONGEST_CALLBACK_DATA = 64


class Refused(Exception):
    """An error answer, with Telegram's wording."""

    def __init__(self, code: int, description: str, parameters: Mapping[str, int] = {}) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.parameters = parameters


class Button(msgspec.Struct, frozen=True):
    text: str
    data: str | None = None
    url: str | None = None


class Sent(msgspec.Struct, frozen=True):
    """A message of the bot in its present state."""

    chat_id: int
    message_id: int
    #: The text that a reader sees, without tags.
    text: str
    #: The text that the bot sent.
    source: str
    #: By row.
    buttons: Sequence[Sequence[Button]] = ()
    #: The number of edits.
    edits: int = 0

    def button(self, text: str) -> Button:
        """The button with this label. Raises LookupError, which lists the buttons."""
        every = [button for row in self.buttons for button in row]
        for button in every:
            if button.text == text:
                return button
        raise LookupError(f"no button {text!r} under the message, only {every}")


class Chats:
    """Telegram's state of the bot's chats. Not for the network; no method waits."""

    def __init__(self, bot: Json, clock: Clock) -> None:
        self._bot = bot
        self._clock = clock
        self._chats: dict[int, Json] = {}
        self._messages: dict[tuple[int, int], Json] = {}
        self._sources: dict[tuple[int, int], list[str]] = {}
        self._next_update = 1
        self._next_id = 1
        self.blocked: set[int] = set()
        self.pending: list[Json] = []

    def open(self, chat_id: int, name: str) -> Json:
        """A private chat in which the person has started the bot."""
        person = {"id": chat_id, "type": "private", "first_name": name, "username": name.lower()}
        return self._chats.setdefault(chat_id, person)

    def chat(self, chat_id: int) -> Json:
        """The chat, for the bot to write to. Raises Refused if the bot may not."""
        if chat_id not in self._chats:
            raise Refused(400, "Bad Request: chat not found")
        if chat_id in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        return self._chats[chat_id]

    def receive(self, chat_id: int, text: str, name: str) -> Json:
        """A person writes to the bot; queues an update."""
        chat = self.open(chat_id, name)
        self.blocked.discard(chat_id)
        message = self._new(chat, _person(chat), {"text": text})
        if text.startswith("/"):
            length = len(text.split(maxsplit=1)[0])
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        self._update("message", message)
        return message

    def press(self, chat_id: int, message_id: int, data: str) -> str:
        """A person presses a button; queues an update. Returns the id of the query to answer.

        Raises LookupError.
        """
        sent = self.sent(chat_id, message_id)
        if data not in (button.data for row in sent.buttons for button in row):
            raise LookupError(f"no button with {data!r} under the message, only {sent.buttons}")
        query_id = str(self._take_id())
        query = {
            "id": query_id,
            "from": _person(self._chats[chat_id]),
            "chat_instance": str(chat_id),
            "message": self._messages[chat_id, message_id],
            "data": data,
        }
        self._update("callback_query", query)
        return query_id

    def send(self, chat_id: int, source: str, content: Json, markup: Json | None) -> Json:
        """The bot sends a message. `source` is the text or caption as received. Raises Refused."""
        chat = self.chat(chat_id)
        message = self._new(chat, self._bot, content | _keyboard(markup))
        self._sources[chat_id, message["message_id"]] = [source]
        return message

    def edit(
        self, chat_id: int, message_id: int, source: str, content: Json, markup: Json | None
    ) -> Json:
        self.chat(chat_id)
        old = self._messages.get((chat_id, message_id))
        if old is None or (chat_id, message_id) not in self._sources:
            raise Refused(400, "Bad Request: message to edit not found")
        kept = {key: old[key] for key in ("message_id", "date", "chat", "from")}
        new = kept | content | _keyboard(markup)
        if new == {key: value for key, value in old.items() if key != "edit_date"}:
            raise Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply "
                "markup are exactly the same as a current content and reply markup of the message",
            )
        new["edit_date"] = self._now_s()
        self._messages[chat_id, message_id] = new
        self._sources[chat_id, message_id].append(source)
        return new

    def sent(self, chat_id: int, message_id: int) -> Sent:
        message = self._messages[chat_id, message_id]
        sources = self._sources[chat_id, message_id]
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        return Sent(
            chat_id=chat_id,
            message_id=message_id,
            text=str(message.get("text", message.get("caption", ""))),
            source=sources[-1],
            buttons=[[_button(each) for each in row] for row in rows],
            edits=len(sources) - 1,
        )

    def all_sent(self, chat_id: int) -> list[Sent]:
        return [self.sent(*place) for place in self._sources if place[0] == chat_id]

    def _new(self, chat: Json, sender: Json, content: Json) -> Json:
        message_id = self._take_id()
        head = {"message_id": message_id, "date": self._now_s(), "chat": chat, "from": sender}
        message = self._messages[chat["id"], message_id] = head | content
        return message

    def _update(self, kind: str, content: Json) -> None:
        self.pending.append({"update_id": self._next_update, kind: content})
        self._next_update += 1

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _now_s(self) -> int:
        return self._clock.now_ms() // 1000


def formatted(source: str, parse_mode: str, limit: int = LONGEST_TEXT) -> Formatted:
    """The text and entities that a reader sees. Raises Refused."""
    if parse_mode not in ("", "HTML"):
        raise Refused(400, f"Bad Request: unsupported parse_mode: {parse_mode}")
    try:
        result = read_html(source) if parse_mode else Formatted(source, [])
    except BadMarkup as error:
        raise Refused(400, f"Bad Request: can't parse entities: {error}") from error
    if len(result.text) > limit:
        raise Refused(400, "Bad Request: message is too long")
    return result


def _person(chat: Json) -> Json:
    names = {key: chat[key] for key in ("id", "first_name", "username")}
    return names | {"is_bot": False, "language_code": "en"}


def _keyboard(markup: Json | None) -> Json:
    """The inline keyboard, if any; messages store no other. Raises Refused if invalid."""
    rows = (markup or {}).get("inline_keyboard", [])
    for button in (button for row in rows for button in row):
        if not button.get("text"):
            raise Refused(400, "Bad Request: can't parse inline keyboard button: no text")
        if not 0 < len(button.get("callback_data", "-").encode()) <= LONGEST_CALLBACK_DATA:
            raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
        if "callback_data" not in button and not button.get("url"):
            raise Refused(400, "Bad Request: text buttons are unallowed in the inline keyboard")
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def _button(button: Json) -> Button:
    return Button(button["text"], button.get("callback_data"), button.get("url"))
