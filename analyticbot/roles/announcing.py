"""What every role does that has the control store: announces what operators set to the workers."""

from analyticbot.process import Process
from control.announcer import SettingsAnnouncer
from control.store import ControlStore


def announce(process: Process, control: ControlStore) -> None:
    """Until the services stop. Several processes may do so at once: they say the same."""
    process.services.add("settings", SettingsAnnouncer(control, process.log).run())
