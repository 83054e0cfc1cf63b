"""A Bot API server on 127.0.0.1 for an unpatched aiogram, in the demo and the tests.

Callers act for people by `message` and `click`, and see the bot's messages by `sent`. The server is
strict: an unknown method is an error for the bot, and raises UnknownMethod at the end of the block.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import BodyPartReader, web

from loopback.bot_api_chats import Chats, Json, Refused, Sent
from loopback.bot_api_methods import METHODS, Call
from streams.clock import Clock, SystemClock

TOKEN = "42:loopback"
#: Telegram's limit of updates per answer.
MOST_UPDATES = 100
MOST_CALLS = 10_000


class UnknownMethod(AssertionError):
    """The bot called methods that this server does not know."""


class Fault(msgspec.Struct):
    """A planned failure of the next `times` calls of a method."""

    method: str
    code: int
    description: str
    times: int
    parameters: Mapping[str, int]
    chat_id: int | None = None
    #: Execute the method, then cut the connection instead of answering.
    lose_answer: bool = False


class BotApi:
    """Use it with ``async with``. Called from one event loop only."""

    def __init__(self, token: str = TOKEN, clock: Clock | None = None) -> None:
        self.token = token
        self.me: Json = {
            "id": int(token.split(":")[0]),
            "is_bot": True,
            "first_name": "AnalyticBot",
            "username": "analytic_loopback_bot",
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }
        #: The newest calls with the right token, in order, including failed ones.
        self.calls: deque[Call] = deque(maxlen=MOST_CALLS)
        #: The bot's answers to pressed buttons, by query id.
        self.answers: dict[str, str] = {}
        self.url = ""
        self._chats = Chats(self.me, clock or SystemClock())
        self._faults: list[Fault] = []
        self._unknown: list[str] = []
        self._changed = asyncio.Event()
        self._polls = 0
        self._stopping = False
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()
        if self._unknown and error is None:
            raise UnknownMethod(f"the bot called {', '.join(self._unknown)}")

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=50 << 20)
        app.router.add_post("/bot{token}/{method}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Ends pending long polls first, which would delay the stop until they time out."""
        self._stopping = True
        self._announce()
        if self._runner:
            await self._runner.cleanup()

    # Actions of people.

    def message(self, chat_id: int, text: str, name: str = "Ann") -> int:
        """A person writes to the bot, which unblocks it. Returns the message's id."""
        written = self._chats.receive(chat_id, text, name)
        self._announce()
        return int(written["message_id"])

    def click(self, message: Sent, label: str) -> str:
        """A person presses a button. Returns the key of the bot's answer in `answers`.

        Raises LookupError if the message has no such button, or if it is a link.
        """
        data = message.button(label).data
        if data is None:
            raise LookupError(f"{label!r} is a link")
        query_id = self._chats.press(message.chat_id, message.message_id, data)
        self._announce()
        return query_id

    def block(self, chat_id: int) -> None:
        """The person blocks the bot, until their next `message`."""
        self._chats.blocked.add(chat_id)

    def open_chat(self, chat_id: int, name: str = "Ann") -> None:
        """Creates a private chat, in which the bot may write first."""
        self._chats.open(chat_id, name)

    # Observation.

    def sent(self, chat_id: int) -> list[Sent]:
        """The bot's messages in a chat in their present state, oldest first."""
        return self._chats.all_sent(chat_id)

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    async def until(self, condition: Callable[[], bool], timeout_s: float = 10) -> None:
        """Waits until `condition` is true; checks it after every event. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await self._change()

    async def sent_to(self, chat_id: int, count: int, timeout_s: float = 10) -> list[Sent]:
        """Waits until the bot has sent `count` messages to the chat. Raises TimeoutError."""
        await self.until(lambda: len(self.sent(chat_id)) >= count, timeout_s)
        return self.sent(chat_id)

    async def answer_to(self, query_id: str, timeout_s: float = 10) -> str:
        await self.until(lambda: query_id in self.answers, timeout_s)
        return self.answers[query_id]

    # Faults.

    def fail(
        self,
        method: str,
        code: int,
        description: str,
        *,
        times: int = 1,
        chat_id: int | None = None,
        lose_answer: bool = False,
        **parameters: int,
    ) -> None:
        """Refuses the next `times` calls of `method`, in any chat or only in `chat_id`.

        With `lose_answer` they are executed, and the connection is cut.
        """
        fault = Fault(method, code, description, times, parameters, chat_id, lose_answer)
        self._faults.append(fault)

    def flood(self, method: str, retry_after: int, *, times: int = 1) -> None:
        text = f"Too Many Requests: retry after {retry_after}"
        self.fail(method, 429, text, times=times, retry_after=retry_after)

    # HTTP.

    async def _answer(self, request: web.Request) -> web.Response:
        call = await _read(request)
        try:
            self._let_in(request.match_info["token"])
            self.calls.append(call)
            result = await self._carry_out(call)
        except Refused as refused:
            return _refusal(refused)
        finally:
            self._announce()
        if fault := self._fault(call, lose_answer=True):
            fault.times -= 1
            if request.transport:
                request.transport.close()
        return web.json_response({"ok": True, "result": result})

    def _let_in(self, token: str) -> None:
        if token != self.token:
            raise Refused(401, "Unauthorized")

    async def _carry_out(self, call: Call) -> Any:
        if fault := self._fault(call, lose_answer=False):
            fault.times -= 1
            raise Refused(fault.code, fault.description, fault.parameters)
        if call.method == "getMe":
            return self.me
        if call.method == "getUpdates":
            return await self._updates(call)
        if call.method not in METHODS:
            self._unknown.append(call.method)
            raise Refused(404, "Not Found: method not found")
        result = METHODS[call.method](self._chats, call)
        if call.method == "answerCallbackQuery":
            self.answers[call.text("callback_query_id")] = call.text("text")
        return result

    async def _updates(self, call: Call) -> Sequence[Json]:
        """A long poll. A newer poll ends it with 409, as at Telegram with two copies of a bot."""
        offset, timeout_s = call.number("offset", 0), call.number("timeout", 0)
        limit = min(call.number("limit", MOST_UPDATES), MOST_UPDATES)
        self._polls += 1
        mine = self._polls
        self._announce()
        pending = self._chats.pending
        pending[:] = [update for update in pending if update["update_id"] >= offset]
        try:
            async with asyncio.timeout(timeout_s):
                while not (self._chats.pending or self._stopping or mine != self._polls):
                    await self._change()
        except TimeoutError:
            pass
        if mine != self._polls:
            text = "Conflict: terminated by other getUpdates request; make sure that only one bot"
            raise Refused(409, f"{text} instance is running")
        return list(self._chats.pending[:limit])

    def _fault(self, call: Call, lose_answer: bool) -> Fault | None:
        for fault in self._faults:
            here = fault.chat_id is None or str(fault.chat_id) == call.text("chat_id")
            if fault.times and fault.method == call.method and here:
                return fault if fault.lose_answer == lose_answer else None
        return None

    async def _change(self) -> None:
        await self._changed.wait()

    def _announce(self) -> None:
        """Wakes all present waiters; later waiters wait for the next call."""
        self._changed.set()
        self._changed = asyncio.Event()


async def _read(request: web.Request) -> Call:
    if request.content_type != "multipart/form-data":
        form = {key: str(value) for key, value in (await request.post()).items()}
        return Call(request.match_info["method"], form)
    fields: dict[str, str] = {}
    files: dict[str, tuple[str, int]] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            continue
        if part.filename:
            files[part.name] = (part.filename, len(await part.read()))
        else:
            fields[part.name] = await part.text()
    return Call(request.match_info["method"], fields, files)


def _refusal(refused: Refused) -> web.Response:
    body: Json = {"ok": False, "error_code": refused.code, "description": refused.description}
    if refused.parameters:
        body["parameters"] = dict(refused.parameters)
    return web.json_response(body, status=refused.code)
