"""`analyticbot settings`: the settings of decisions, for all channels or for one."""

import argparse
import difflib
from collections.abc import Sequence
from typing import Any

import msgspec

from agents.engine.setting import InvalidSetting, Setting
from analyticbot.commands.follow import parsed, shown
from analyticbot.config import ConfigError, Settings
from analyticbot.failure import Failure
from analyticbot.installed import decisions
from analyticbot.listing import as_json, table
from analyticbot.stores import opened_control
from control.store import ControlStore
from streams.broadcasts import SettingChanged, Value
from streams.clock import SystemClock
from streams.ids import ChannelId

HEADS = ("SETTING", "VALUE", "FOR", "DEFAULT", "WHAT IT IS")
_TAKEN = "Workers take it within seconds; those that do not run, when they start."


class Row(msgspec.Struct, frozen=True):
    """One setting: its value for all channels, or for one."""

    setting: str
    value: Value
    #: None: all channels.
    channel_id: int | None
    default: Value
    #: Whether an operator set it; otherwise the default is in force.
    is_set: bool
    accepted: str
    about: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action")
    listing = actions.add_parser("list", help="what there is and how it is set (also without it)")
    listing.add_argument("--json", action="store_true", help="as JSON, for programs")
    setting = actions.add_parser("set", help="set it for all channels, or for one")
    unset = actions.add_parser("unset", help="back to what holds for all channels, or the default")
    for action in (setting, unset):
        action.add_argument("name", help="such as spikes.factor")
    setting.add_argument("value")
    for action in (setting, unset):
        action.add_argument("--channel", help="@username, a t.me link, or an id in any spelling")


async def run(options: argparse.Namespace, settings: Settings) -> int:
    declared = decisions(settings.without).plan.settings
    if options.action in (None, "list"):
        return await _list(settings, declared, as_program=getattr(options, "json", False))
    setting = _named(declared, options.name)
    value = _read(setting, options.value) if options.action == "set" else None
    async with opened_control(settings) as control:
        channel_id = await _channel(control, options.channel)
        whom = "all channels" if channel_id is None else options.channel
        if value is None and not await _is_set(control, setting, channel_id):
            raise Failure(f"{setting.name} is not set for {whom}")
        await control.settings.put(setting.name, channel_id, value, SystemClock().now_ms())
    if value is None:
        default = f"the default, {_text(setting.default)}"
        rest = default if channel_id is None else "what is set for all channels, or " + default
        print(f"{setting.name}: unset for {whom}; {rest}, holds")
    else:
        print(f"{setting.name}: {_text(value)} for {whom}")
    print(_TAKEN)
    return 0


async def _list(settings: Settings, declared: Sequence[Setting[Any]], *, as_program: bool) -> int:
    async with opened_control(settings) as control:
        changes = await control.settings.all()
    rows = [row for setting in declared for row in _rows(setting, changes)]
    if as_program:
        print(as_json(rows))
    else:
        print(table(HEADS, [_cells(row) for row in rows]))
    return 0


def _named(declared: Sequence[Setting[Any]], name: str) -> Setting[Any]:
    """Raises ConfigError."""
    known = {setting.name: setting for setting in declared}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    raise ConfigError(f"{name}: no such setting; {hint}")


def _read(setting: Setting[Any], text: str) -> Value:
    """Raises ConfigError."""
    try:
        value: Value = setting.read(text)
    except InvalidSetting as error:
        raise ConfigError(str(error)) from error
    return value


async def _channel(control: ControlStore, reference: str | None) -> ChannelId | None:
    """Raises ConfigError, Failure."""
    if reference is None:
        return None
    [channel] = parsed([reference])
    if not isinstance(channel, str):
        return channel
    for one in await control.followed():
        if one.username == channel and one.channel_id is not None:
            return one.channel_id
    raise Failure(
        f"{shown(channel)}: its id is not known here: follow it and let a collector resolve it, "
        "or give the id"
    )


async def _is_set(
    control: ControlStore, setting: Setting[Any], channel_id: ChannelId | None
) -> bool:
    return any(
        (each.name, each.channel_id) == (setting.name, channel_id) and each.value is not None
        for each in await control.settings.all()
    )


def _rows(setting: Setting[Any], changes: Sequence[SettingChanged]) -> list[Row]:
    """The value for all channels first, then those for single channels."""
    own = [each for each in changes if each.name == setting.name and each.value is not None]
    rows = [_row(setting, each.channel_id, each.value) for each in own]
    if all(each.channel_id is not None for each in own):
        rows.insert(0, _row(setting, None, None))
    return rows


def _row(setting: Setting[Any], channel_id: ChannelId | None, value: Value | None) -> Row:
    return Row(
        setting=setting.name,
        value=setting.default if value is None else value,
        channel_id=channel_id,
        default=setting.default,
        is_set=value is not None,
        accepted=setting.accepted,
        about=setting.about,
    )


def _cells(row: Row) -> Sequence[object]:
    whom = "all channels" if row.channel_id is None else row.channel_id
    about = f"{row.about} It is {row.accepted}."
    return (row.setting, _text(row.value), whom, _text(row.default), about)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
