"""The Telethon client as the collector needs it, and the errors of a connection.

AccountLost      Telegram refuses the session: log in again; never retried
ConnectionLost   Telegram is unavailable: reconnect with growing pauses
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from telethon import TelegramClient, errors
from telethon.errors import InvalidBufferError
from telethon.sessions import Session
from telethon.tl import functions, types

from streams.clock import CorrectedClock

#: The timeout of a disconnect: less than the shortest lease leaves for it.
CLOSE_S = 0.5


class AccountLost(Exception):
    """`reason` is Telegram's error code, such as AUTH_KEY_DUPLICATED."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Telegram no longer accepts this session ({reason}): log in again")
        self.reason = reason


class ConnectionLost(Exception):
    """`until_ms`: do not reconnect before; None if Telegram did not say."""

    def __init__(self, reason: str, until_ms: int | None = None) -> None:
        super().__init__(reason)
        self.until_ms = until_ms


class CollectorClient(TelegramClient):  # type: ignore[misc]
    """One connection. It never reconnects and never sleeps on a flood wait.

    Telethon's own reconnection does not catch up, and its flood waits stop a method for all
    channels and even the loop of updates: the collector does both itself.
    """

    #: Telethon keeps the list of servers by class: apart here from other clients of the process.
    _config = None

    def __init__(self, session: Session, api_id: int, api_hash: str) -> None:
        super().__init__(
            session,
            api_id,
            api_hash,
            auto_reconnect=False,
            connection_retries=0,
            retry_delay=0,
            request_retries=0,
            flood_sleep_threshold=0,
            raise_last_call_error=True,
            sequential_updates=True,
            catch_up=False,
            base_logger=_quiet_logger(),
        )
        self._flood_waited_requests = _NoMemory()
        #: The newest time in a message from Telegram; 0 before the first.
        self._telegram_ms = 0
        self._clock: CorrectedClock | None = None
        #: Called with a channel of which Telethon drops updates.
        self.on_gap: Callable[[int], None] = lambda channel_id: None
        state = self._sender._state
        decrypted = state.decrypt_message_data

        def timed(body: bytes) -> Any:
            message = decrypted(body)
            if message is not None:
                self._arrived(message.msg_id)
            return message

        state.decrypt_message_data = timed

    async def __call__(
        self, request: Any, ordered: bool = False, flood_sleep_threshold: int | None = None
    ) -> Any:
        """As Telethon's own requests for what it has missed go through here, so do their answers:
        it drops the edits and deletions among them, and all of what is too much for one answer."""
        answer = await super().__call__(request, ordered, flood_sleep_threshold)
        if isinstance(request, functions.updates.GetChannelDifferenceRequest) and _lacks(answer):
            self.on_gap(request.channel.channel_id)
        return answer

    @contextmanager
    def timed(self, clock: CorrectedClock) -> Iterator[None]:
        """Around a request: its answer says what time it is at Telegram.

        The answer was sent after the request was, and before it arrived: between those lies by how
        much the machine's clock is off. What is pushed bounds it on one side only, from now on.
        """
        self._clock = clock
        sent_ms = _machine_ms()
        yield
        if self._telegram_ms:
            clock.at_most(self._telegram_ms - sent_ms)

    def _arrived(self, msg_id: int) -> None:
        """A message id is the time at which Telegram sent it, in 2^-32 seconds."""
        at_ms = (msg_id * 1000 + (1 << 31)) >> 32
        self._telegram_ms = max(self._telegram_ms, at_ms)
        if self._clock is not None:
            self._clock.at_least(at_ms - _machine_ms())

    def seed(self, channel_id: int, pts: int, chats: list[Any]) -> None:
        """Say where a channel's updates stand, without which its first push is taken as the start.

        Telethon itself learns it from get_dialogs only, which is too dear after each join.
        """
        self._mb_entity_cache.extend([], chats)
        self._message_box.try_set_channel_state(channel_id, pts)

    async def close(self) -> None:
        """In CLOSE_S at most. The connection lasts no longer than this, even where it is cancelled.

        Telethon waits ten seconds for a peer that does not take what was sent to it, and goes on
        with that where who waits is cancelled.
        """
        connection = self._sender._connection
        closing = self.disconnect()
        try:
            await asyncio.wait({closing}, timeout=CLOSE_S)
        finally:
            if not closing.done() and connection is not None and connection._writer is not None:
                connection._writer.transport.abort()


def _machine_ms() -> int:
    """The clock that Telethon goes by, so that its messages are compared with their own."""
    return time.time_ns() // 1_000_000


def _lacks(difference: Any) -> bool:
    """Whether Telethon drops a part of the difference."""
    if isinstance(difference, types.updates.ChannelDifferenceTooLong):
        return True
    return isinstance(difference, types.updates.ChannelDifference) and bool(
        difference.other_updates
    )


def _quiet_logger() -> str:
    """The name of Telethon's logger here: the collector says itself, and once, what is away."""
    name = f"{__name__}.telethon"
    logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger(f"{name}.network.mtprotosender").setLevel(logging.CRITICAL)
    return name


class _NoMemory(dict[int, float]):
    """Ignores entries: Telethon would apply a flood wait to all channels."""

    def __setitem__(self, key: int, value: float) -> None:
        return


def client_factory(session: Session, api_id: int, api_hash: str) -> Callable[[], CollectorClient]:
    """A new client for each connection, all on one session (an authorised one).

    It connects to the session's address; `session.set_dc` changes it.
    """
    return lambda: CollectorClient(session, api_id, api_hash)


#: Telegram asks to wait before a retry.
FLOODS = (errors.FloodWaitError, errors.FloodPremiumWaitError)
#: Errors that end a session for good.
FATAL = (errors.UnauthorizedError, errors.AuthKeyError, errors.AuthKeyNotFound)
#: Errors of a lost or refused connection.
AWAY = (OSError, EOFError, InvalidBufferError)


def connection_error(error: BaseException | None) -> AccountLost | ConnectionLost:
    """The error that the end of a connection means."""
    if isinstance(error, errors.AuthKeyNotFound):
        return AccountLost("AUTH_KEY_UNKNOWN")
    if isinstance(error, InvalidBufferError) and error.code == 404:
        return AccountLost("AUTH_KEY_UNKNOWN")
    if isinstance(error, FATAL):
        return AccountLost(word_of(error))
    if error is None:
        return ConnectionLost("Telegram closed the connection")
    return ConnectionLost(f"{type(error).__name__}: {error}".rstrip(": "))


def word_of(error: BaseException) -> str:
    """Telegram's error code: AuthKeyDuplicatedError is AUTH_KEY_DUPLICATED."""
    name = type(error).__name__.removesuffix("Error")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()
