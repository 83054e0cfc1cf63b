"""aiogram's models behave as ever, though they are built late (bot/late_models.py)."""

import subprocess
import sys

_UPDATE = """
import bot
from aiogram.methods import SendMessage, SetMyCommands
from aiogram.methods.base import Response
from aiogram.types import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from pydantic_core import SchemaValidator, ValidationError

assert not isinstance(Message.__dict__["__pydantic_validator__"], SchemaValidator)
chat = {"id": 5, "type": "private"}
message = {
    "message_id": 1, "date": 0, "chat": chat, "text": "/start",
    "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
    "reply_to_message": {"message_id": 0, "date": 0, "chat": chat, "text": "before"},
}
"""


def test_the_first_use_builds_an_update_with_all_in_it() -> None:
    _run(
        "update = Update.model_validate({'update_id': 1, 'message': message})\n"
        "assert update.message.entities[0].type == 'bot_command'\n"
        "assert update.message.reply_to_message.text == 'before'\n"
        "assert type(update.message.reply_to_message) is Message\n"
    )


def test_the_first_use_is_an_answer() -> None:
    _run(
        "answer = Response[Message | bool].model_validate({'ok': True, 'result': message})\n"
        "assert answer.result.chat.id == 5\n"
        "answer = Response[list[Update]].model_validate({'ok': True, 'result': []})\n"
        "assert answer.result == []\n"
    )


def test_the_first_use_is_a_method() -> None:
    _run(
        "rows = [[InlineKeyboardButton(text='a', callback_data='b')]]\n"
        "keys = InlineKeyboardMarkup(inline_keyboard=rows)\n"
        "sent = SendMessage(chat_id=5, text='hello', reply_markup=keys).model_dump()\n"
        "assert sent['reply_markup']['inline_keyboard'][0][0]['text'] == 'a'\n"
        "SetMyCommands(commands=[BotCommand(command='start', description='s')])\n"
    )


def test_what_is_wrong_is_refused() -> None:
    _run(
        "try:\n"
        "    Update.model_validate({'update_id': 1, 'message': {'text': 'no chat'}})\n"
        "except ValidationError:\n"
        "    pass\n"
        "else:\n"
        "    raise AssertionError\n"
    )


def test_every_model_can_be_built() -> None:
    _run(
        "import aiogram.types, aiogram.methods\n"
        "from pydantic import BaseModel\n"
        "for module in (aiogram.types, aiogram.methods):\n"
        "    for name in module.__all__:\n"
        "        model = getattr(module, name)\n"
        "        if isinstance(model, type) and issubclass(model, BaseModel):\n"
        "            assert model.model_rebuild() in (True, None), name\n"
    )


def _run(code: str) -> None:
    """In a process of its own: in this one aiogram may be imported, and models built."""
    subprocess.run([sys.executable, "-c", _UPDATE + code], check=True)
