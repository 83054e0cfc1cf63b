"""All methods that the loopback Telegram answers. A call of any other is a violation."""

from collections.abc import Callable, Mapping
from typing import Any

from telethon.tl import functions as f

from loopback.methods import authorisation, channels, dialogs, messages, updates, users
from loopback.methods.caller import Caller

Method = Callable[[Caller, Any], Any]

METHODS: Mapping[type, Method] = {
    f.help.GetConfigRequest: authorisation.get_config,
    f.help.GetNearestDcRequest: authorisation.get_nearest_dc,
    f.auth.SendCodeRequest: authorisation.send_code,
    f.auth.SignInRequest: authorisation.sign_in,
    f.auth.LogOutRequest: authorisation.log_out,
    f.auth.ExportAuthorizationRequest: authorisation.export_authorization,
    f.auth.ImportAuthorizationRequest: authorisation.import_authorization,
    f.users.GetUsersRequest: users.get_users,
    f.users.GetFullUserRequest: users.get_full_user,
    f.updates.GetStateRequest: updates.get_state,
    f.updates.GetDifferenceRequest: updates.get_difference,
    f.updates.GetChannelDifferenceRequest: updates.get_channel_difference,
    f.messages.GetDialogsRequest: dialogs.get_dialogs,
    f.messages.GetHistoryRequest: messages.get_history,
    f.messages.GetMessagesViewsRequest: messages.get_messages_views,
    f.messages.GetMessagesReactionsRequest: messages.get_messages_reactions,
    f.contacts.ResolveUsernameRequest: channels.resolve_username,
    f.channels.GetMessagesRequest: channels.get_messages,
    f.channels.GetChannelsRequest: channels.get_channels,
    f.channels.GetFullChannelRequest: channels.get_full_channel,
    f.channels.JoinChannelRequest: channels.join_channel,
    f.channels.LeaveChannelRequest: channels.leave_channel,
}


def name_of(request_type: type) -> str:
    """``messages.getHistory`` for Telethon's GetHistoryRequest."""
    space = request_type.__module__.removeprefix("telethon.tl.functions").lstrip(".")
    name = request_type.__name__.removesuffix("Request")
    name = name[0].lower() + name[1:]
    return f"{space}.{name}" if space else name


NAMES: frozenset[str] = frozenset(name_of(kind) for kind in METHODS)
