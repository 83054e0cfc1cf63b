"""Announces operators' settings to the workers, in every role with a control store."""

from analyticbot.process import Process
from control.announcer import SettingsAnnouncer
from control.store import ControlStore


def announce(process: Process, control: ControlStore) -> None:
    """Announces until the services stop. Several processes may do so: they announce the same."""
    process.services.add("settings", SettingsAnnouncer(control, process.log).run())
