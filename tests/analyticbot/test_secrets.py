"""A whole installation at the log level `debug`: no secret is anywhere but where it is kept."""

import asyncio
import base64
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from telethon.sessions import StringSession

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from analyticbot.redacting import HIDDEN
from control.key_file import KeyFile
from control.sql import open_control
from loopback.bot_api import TOKEN, BotApi
from loopback.telegram import LoopbackTelegram
from loopback.world.world import World
from streams.clock import SystemClock
from streams.ids import ChannelId
from tests.analyticbot.command import COMMAND, environment
from tests.analyticbot.otlp import Collector
from tests.analyticbot.private import open_to_others
from tests.analyticbot.role import Role
from tests.faults.waiting import until
from tests.patience import PATIENCE_S

PHONE = "998901234567"
API_KEY = "key-of-the-page-0123456789"
API_HASH = "0123456789abcdef0123456789abcdef"
LOGIN = (sys.executable, "-m", "tests.analyticbot.login_child")
BOT = (sys.executable, "-m", "tests.analyticbot.bot_child")


async def ran(
    command: Sequence[str], variables: Mapping[str, str], said: Path, typed: str = ""
) -> None:
    """To its end, under a umask that hides nothing; what it says is appended."""
    with said.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *command, env=dict(variables), stdin=-1, stdout=out, stderr=out, umask=0
        )
    await process.communicate(typed.encode())
    assert process.returncode == 0, f"see {said}"


async def observed(variables: Mapping[str, str], folder: Path) -> list[str]:
    """`up` until it shows a post; what it answers to those who watch it."""
    role = await Role.started([COMMAND, "up"], variables, folder / "up.log", umask=0)
    role.http.headers["Authorization"] = f"Bearer {API_KEY}"
    try:
        posts = "/api/v1/channels/first_channel/posts"
        await until(lambda: role.data(posts), PATIENCE_S, "a post")
        paths = ("/metrics", "/readyz", "/api/v1/about", "/api/v1/channels", "/openapi.json")
        answers = [(await role.http.get(path)).text for path in paths]
        (folder / "while-it-runs").write_text("\n".join(open_to_others(folder / "data")))
    finally:
        await role.stop()
    return answers


async def answered(variables: Mapping[str, str], folder: Path) -> None:
    """A bot that polls, and that loses its Telegram."""
    log = folder / "bot.log"
    async with BotApi() as bot_api:
        role = await Role.started([*BOT, bot_api.url], variables, log, umask=0)
        await until(lambda: polled(bot_api), PATIENCE_S, "a poll")
    try:
        # Its poll, or another of its calls, says that it cannot reach Telegram.
        await until(lambda: said(log, "HTTP Client says"), PATIENCE_S, "what is away")
    finally:
        await role.stop()


async def polled(bot_api: BotApi) -> bool:
    return any(call.method == "getUpdates" for call in bot_api.calls)


async def said(log: Path, words: str) -> bool:
    return words in await asyncio.to_thread(log.read_text)


def session_of(data: Path) -> str:
    """As it is used, from where it is sealed."""

    async def read() -> str:
        store = open_control(f"sqlite:///{data}/control.db", KeyFile(data / "secret.key"))
        [account] = await store.accounts.all()
        await store.close()
        assert account.session
        return account.session

    return asyncio.run(read())


@pytest.mark.timeout(280)
def test_no_secret_is_anywhere_but_where_it_is_kept(tmp_path: Path) -> None:
    data, temporary = tmp_path / "data", tmp_path / "temporary"
    (tmp_path / "recording").mkdir()
    temporary.mkdir(mode=0o700)
    (tmp_path / "recording" / "posts.jsonl").write_text(
        '{"channel": "somebody", "message_id": 1, "date": "2025-01-01T00:00:00Z", "text": "a"}\n'
    )
    collector = Collector()
    with collector.serving():
        answers = asyncio.run(lived(tmp_path, collector.url))
    session = session_of(data)
    auth_key = StringSession(session).auth_key.key
    key = (data / "secret.key").read_text().strip()
    texts = (session, PHONE, API_HASH, API_KEY, TOKEN, key)
    secrets = [one.encode() for one in texts] + [auth_key, base64.urlsafe_b64encode(auth_key)[:300]]

    logged = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("*.log")))
    assert b"account_taken" in logged
    # What is hidden at last was printed before: the first line of defence must have held.
    assert HIDDEN.encode() not in logged
    assert b"log.publish" in b"".join(collector.bodies)
    for secret in secrets:
        assert secret not in logged
        assert not [body for body in collector.bodies if secret in body]
        assert not [answer for answer in answers if secret in answer.encode()]
    found = set(files_in(data, tmp_path / "bot", temporary))
    holding = {path for path in found if any(one in path.read_bytes() for one in secrets)}
    assert holding == {data / "secret.key"}
    assert (tmp_path / "while-it-runs").read_text() == ""
    for folder in (data, tmp_path / "bot", temporary):
        assert open_to_others(folder) == []


def files_in(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file())


async def lived(folder: Path, traces: str) -> list[str]:
    """Log in, follow, replay, observe, answer; what was answered over HTTP."""
    variables = environment(
        folder / "data",
        ANALYTICBOT_LOG_LEVEL="debug",
        ANALYTICBOT_PORT="0",
        ANALYTICBOT_API_KEY=API_KEY,
        ANALYTICBOT_TRACES=traces,
        ANALYTICBOT_TRACE_SHARE="1",
        TELEGRAM_API_ID="1",
        TELEGRAM_API_HASH=API_HASH,
        TMPDIR=str(folder / "temporary"),
    )
    world = World(SystemClock())
    world.add_account(801, phone=PHONE)
    world.post(world.add_channel(ChannelId(1_900_000_001), "first_channel", "First"), "hello")
    async with LoopbackTelegram(world, strict=False) as telegram:
        login = (*LOGIN, str(telegram.port), telegram.public_key_pem)
        typed = f"+{PHONE}\n{telegram.login_code}\n"
        await ran(login, variables, folder / "login.log", typed)
        follow = [COMMAND, "follow", "@first_channel"]
        await ran(follow, variables, folder / "follow.log")
        replay = [COMMAND, "replay", str(folder / "recording")]
        await ran(replay, variables, folder / "replay.log")
        answers = await observed(variables, folder)
    own = {"ANALYTICBOT_DATA": str(folder / "bot"), "BOT_TOKEN": TOKEN}
    await answered({**variables, **own}, folder)
    return answers
