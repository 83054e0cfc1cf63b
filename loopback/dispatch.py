"""Answers requests: records them in the journal, applies planned faults, calls the method."""

import logging
import struct
from collections.abc import Callable
from typing import Any

from telethon.tl import functions

from loopback.calls import Call, Calls
from loopback.faults import Faults
from loopback.limits import Limits
from loopback.methods.caller import Caller, Place
from loopback.methods.table import METHODS, name_of
from loopback.mtproto import tl
from loopback.mtproto.auth_keys import AuthKey
from loopback.mtproto.connection import Answer
from loopback.mtproto.errors import Cut, RpcFailure

logger = logging.getLogger(__name__)

#: The errors of a bug in a method or in the serialisation of its answer. The client gets an error,
#: so that it does not retry forever; closing the server reports the bug.
_BUGS = (AssertionError, AttributeError, LookupError, TypeError, ValueError, struct.error)


class Dispatch:
    """Implements connection.Methods. `sessions` counts a key's connected sessions."""

    def __init__(
        self,
        place: Place,
        calls: Calls,
        faults: Faults,
        limits: Limits,
        sessions: Callable[[AuthKey], int],
    ) -> None:
        self._place = place
        self._calls = calls
        self._faults = faults
        self._limits = limits
        self._sessions = sessions
        self._duplicated: set[bytes] = set()

    def call(self, auth_key: AuthKey, request: Any) -> Answer:
        name = name_of(type(request))
        error: str | None = None
        try:
            return self._answer(auth_key, name, request)
        except RpcFailure as failure:
            error = failure.message
            raise
        except Cut:
            error = "cut"
            raise
        finally:
            at_ms = self._place.world.clock.now_ms()
            self._calls.record(Call(at_ms, auth_key.user_id, name, request, error))

    def unreadable(self, auth_key: AuthKey, body: bytes) -> Answer:
        constructor = int.from_bytes(body[:4], "little")
        self._calls.violate(f"unknown constructor {constructor:#010x}")
        raise RpcFailure(400, f"INPUT_METHOD_INVALID_{constructor}")

    def _answer(self, auth_key: AuthKey, name: str, request: Any) -> Answer:
        self._check(auth_key, name, request)
        self._limits.meet(name, auth_key.user_id)
        delay_s = self._faults.meet(name, auth_key.user_id)
        method = METHODS.get(type(request))
        if method is None:
            self._violate(f"unknown method {name}")
            raise RpcFailure(400, "METHOD_INVALID")
        try:
            body = tl.boxed(method(Caller(self._place, auth_key), request))
        except _BUGS as exc:
            self._violate(f"{name} failed: {exc!r}")
            logger.exception("method_failed", extra={"method": name})
            raise RpcFailure(500, "INTERNAL") from exc
        return Answer(body, delay_s)

    def _check(self, auth_key: AuthKey, name: str, request: Any) -> None:
        if self._faults.one_session_per_key and self._sessions(auth_key) > 1:
            self._duplicated.add(auth_key.key_id)
        if auth_key.key_id in self._duplicated:
            raise RpcFailure(406, "AUTH_KEY_DUPLICATED")
        if auth_key.layer not in (None, tl.LAYER):
            # The client would misread the objects of another layer.
            spoken = f"layer {auth_key.layer} is not spoken here, only layer {tl.LAYER}"
            raise RpcFailure(400, f"CONNECTION_LAYER_INVALID: {spoken}")
        views = functions.messages.GetMessagesViewsRequest
        if isinstance(request, views) and request.increment:
            self._violate(f"{name} with increment: a reader must not change the counters")

    def _violate(self, line: str) -> None:
        logger.error("not_strict", extra={"violation": line})
        self._calls.violate(line)
