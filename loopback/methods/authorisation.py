"""help.* and auth.*: the methods that a client calls before it has signed in."""

import os
from typing import Any

from telethon.tl import types

from loopback.methods import render
from loopback.methods.caller import Caller
from loopback.mtproto.errors import RpcFailure
from loopback.mtproto.server import HOST

_DC_IDS = (1, 2, 3, 4, 5)


def get_config(caller: Caller, request: Any) -> Any:
    place = caller.place
    return types.Config(
        date=caller.now_s,
        expires=caller.now_s + 3600,
        test_mode=False,
        this_dc=place.dc_id,
        dc_options=[types.DcOption(dc_id, HOST, place.port) for dc_id in _DC_IDS],
        dc_txt_domain_name="",
        chat_size_max=200,
        megagroup_size_max=200_000,
        forwarded_count_max=100,
        online_update_period_ms=210_000,
        offline_blur_timeout_ms=5_000,
        offline_idle_timeout_ms=30_000,
        online_cloud_timeout_ms=300_000,
        notify_cloud_delay_ms=30_000,
        notify_default_delay_ms=1_500,
        push_chat_period_ms=60_000,
        push_chat_limit=2,
        edit_time_limit=172_800,
        revoke_time_limit=2_147_483_647,
        revoke_pm_time_limit=2_147_483_647,
        rating_e_decay=2_419_200,
        stickers_recent_limit=200,
        channels_read_media_period=604_800,
        call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000,
        call_connect_timeout_ms=30_000,
        call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/",
        caption_length_max=1_024,
        message_length_max=4_096,
        webfile_dc_id=4,
    )


def get_nearest_dc(caller: Caller, request: Any) -> Any:
    return types.NearestDc("XX", caller.place.dc_id, caller.place.dc_id)


def send_code(caller: Caller, request: Any) -> Any:
    if _phone_owner(caller, request.phone_number) is None:
        raise RpcFailure(400, "PHONE_NUMBER_INVALID")
    return types.auth.SentCode(types.auth.SentCodeTypeApp(5), "loopback")


def sign_in(caller: Caller, request: Any) -> Any:
    owner = _phone_owner(caller, request.phone_number)
    if owner is None:
        raise RpcFailure(400, "PHONE_NUMBER_UNOCCUPIED")
    if request.phone_code != caller.place.login_code:
        raise RpcFailure(400, "PHONE_CODE_INVALID")
    return _authorised(caller, owner)


def log_out(caller: Caller, request: Any) -> Any:
    caller.auth_key.user_id = None
    return types.auth.LoggedOut()


def export_authorization(caller: Caller, request: Any) -> Any:
    token = os.urandom(32)
    caller.place.exported[token] = caller.account.user_id
    return types.auth.ExportedAuthorization(caller.account.user_id, token)


def import_authorization(caller: Caller, request: Any) -> Any:
    user_id = caller.place.exported.pop(request.bytes, None)
    if user_id is None or user_id != request.id:
        raise RpcFailure(400, "AUTH_BYTES_INVALID")
    return _authorised(caller, user_id)


def _authorised(caller: Caller, user_id: int) -> Any:
    caller.auth_key.user_id = user_id
    return types.auth.Authorization(render.user(caller.account, is_self=True))


def _phone_owner(caller: Caller, phone: str) -> int | None:
    digits = "".join(c for c in phone if c.isdigit())
    accounts = caller.world.accounts.values()
    return next((a.user_id for a in accounts if a.phone == digits), None)
