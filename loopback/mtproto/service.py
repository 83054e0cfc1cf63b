"""Service messages, which belong to the protocol and not to Telegram's API.

https://core.telegram.org/mtproto/service_messages
"""

import struct
from typing import Any

from telethon.tl import functions, types

from loopback.mtproto.session import Session

_FUTURE_SALTS = 0xAE500895
_SALT_LIFE_S = 3600


def answer_service(session: Session, msg_id: int, request: Any) -> bool:
    """Answers a service message; returns False for any other message."""
    match request:
        case types.MsgsAck():
            session.acknowledge(request.msg_ids)
        case types.HttpWait() | types.MsgsStateInfo() | types.MsgsAllInfo():
            pass
        case functions.PingRequest() | functions.PingDelayDisconnectRequest():
            session.post(bytes(types.Pong(msg_id, request.ping_id)), answers=msg_id)
        case functions.GetFutureSaltsRequest():
            session.post(_future_salts(session, msg_id), answers=msg_id)
        case functions.DestroySessionRequest():
            session.post(bytes(types.DestroySessionOk(request.session_id)), answers=msg_id)
        case types.MsgsStateReq():
            state = types.MsgsStateInfo(msg_id, session.states(request.msg_ids))
            session.post_service(state, msg_id)
        case types.MsgResendReq():
            session.resend(request.msg_ids)
        case functions.RpcDropAnswerRequest():
            session.post(rpc_result(msg_id, bytes(types.RpcAnswerUnknown())), answers=msg_id)
        case _:
            return False
    return True


def rpc_result(request_msg_id: int, body: bytes) -> bytes:
    return struct.pack("<Iq", 0xF35C6D01, request_msg_id) + body


def _future_salts(session: Session, msg_id: int) -> bytes:
    now_s = int(session.now_s())
    # The vector is bare, which Telethon's classes cannot serialise.
    salt = struct.pack("<iiq", now_s, now_s + _SALT_LIFE_S, session.auth_key.salt)
    return struct.pack("<Iqii", _FUTURE_SALTS, msg_id, now_s, 1) + salt
