"""The Bot API methods that the loopback server knows: one function per method, in `METHODS`."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from loopback.bot_api_chats import Chats, Json, Refused, formatted

LONGEST_CAPTION = 1024


class Call(msgspec.Struct, frozen=True):
    """One request of the bot. Parameters are strings, as received in the form."""

    method: str
    parameters: Mapping[str, str]
    #: The names and sizes of uploaded files, by the name of their part.
    files: Mapping[str, tuple[str, int]] = {}

    def text(self, name: str) -> str:
        return self.parameters.get(name, "")

    def number(self, name: str, default: int | None = None) -> int:
        """Raises Refused if the parameter is not a number, or is missing without a default."""
        given = self.parameters.get(name, "" if default is None else str(default))
        try:
            return int(given)
        except ValueError as error:
            raise Refused(400, f"Bad Request: {name} must be a number, not {given!r}") from error

    def json(self, name: str) -> Any:
        """None if the parameter is missing. Raises Refused if it is invalid."""
        try:
            return msgspec.json.decode(given) if (given := self.parameters.get(name)) else None
        except msgspec.DecodeError as error:
            raise Refused(400, f"Bad Request: can't parse {name} JSON object") from error


Method = Callable[[Chats, Call], Any]


def _true(_chats: Chats, _call: Call) -> bool:
    return True


def _delete_webhook(chats: Chats, call: Call) -> bool:
    if call.text("drop_pending_updates").lower() == "true":
        chats.pending.clear()
    return True


def _get_chat(chats: Chats, call: Call) -> Json:
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
    rest = {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys((*gifts, "gifts_from_channels"), True),
    }
    return chats.chat(call.number("chat_id")) | rest


def _send_message(chats: Chats, call: Call) -> Json:
    source = call.text("text")
    return chats.send(call.number("chat_id"), source, _text(call), call.json("reply_markup"))


def _edit_message_text(chats: Chats, call: Call) -> Json:
    place = call.number("chat_id"), call.number("message_id")
    return chats.edit(*place, call.text("text"), _text(call), call.json("reply_markup"))


def _answer_callback_query(chats: Chats, call: Call) -> bool:
    if len(call.text("text")) > 200:
        raise Refused(400, "Bad Request: MESSAGE_TOO_LONG")
    return True


def _send_photo(chats: Chats, call: Call) -> Json:
    file = _file(call, "photo") | {"width": 1280, "height": 720}
    return _send_file(chats, call, {"photo": [file]})


def _send_document(chats: Chats, call: Call) -> Json:
    name = call.files.get(call.text("document").removeprefix("attach://"), ("", 0))[0]
    return _send_file(chats, call, {"document": _file(call, "document") | {"file_name": name}})


def _send_file(chats: Chats, call: Call, content: Json) -> Json:
    source = call.text("caption")
    caption = formatted(source, call.text("parse_mode"), LONGEST_CAPTION)
    content["caption"], content["caption_entities"] = caption
    return chats.send(call.number("chat_id"), source, content, call.json("reply_markup"))


def _file(call: Call, name: str) -> Json:
    reference = call.text(name).removeprefix("attach://")
    if reference not in call.files:
        raise Refused(400, "Bad Request: wrong remote file identifier specified")
    size = call.files[reference][1]
    if not size:
        raise Refused(400, "Bad Request: file must be non-empty")
    return {"file_id": reference, "file_unique_id": reference, "file_size": size}


def _text(call: Call) -> Json:
    result = formatted(call.text("text"), call.text("parse_mode"))
    if not result.text.strip():
        raise Refused(400, "Bad Request: message text is empty")
    return {"text": result.text} | ({"entities": result.entities} if result.entities else {})


#: The server itself answers `getMe` and `getUpdates`.
METHODS: Mapping[str, Method] = {
    "answerCallbackQuery": _answer_callback_query,
    "deleteWebhook": _delete_webhook,
    "editMessageText": _edit_message_text,
    "getChat": _get_chat,
    "sendChatAction": _true,
    "sendDocument": _send_document,
    "sendMessage": _send_message,
    "sendPhoto": _send_photo,
    "setMyCommands": _true,
    "setMyDescription": _true,
}
