"""users.*: the account itself."""

from typing import Any

from telethon.tl import types

from loopback.methods import render
from loopback.methods.caller import Caller


def get_users(caller: Caller, request: Any) -> Any:
    return [_user(caller, named) for named in request.id]


def get_full_user(caller: Caller, request: Any) -> Any:
    full = types.UserFull(
        caller.account.user_id, types.PeerSettings(), types.PeerNotifySettings(), 0
    )
    return types.users.UserFull(full, [], [_user(caller, request.id)])


def _user(caller: Caller, named: Any) -> Any:
    account = caller.account
    if isinstance(named, types.InputUserSelf):
        return render.user(account, is_self=True)
    user_id = getattr(named, "user_id", 0)
    other = caller.world.accounts.get(user_id)
    if other is None or named.access_hash != other.access_hash:
        return types.UserEmpty(user_id)
    return render.user(other, is_self=other is account)
