"""What every role does that has the control store: announces what operators set to the workers."""

from analyticbot.process import Process
from control.announcer import SettingsAnnouncer
from control.store import ControlStore


def announce(process: Process, control: ControlStore) -> None:
    """Until the crew stops. Several processes may do so at once: they say the same."""
    process.crew.add("settings", SettingsAnnouncer(control, process.log).run())
