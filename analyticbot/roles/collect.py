"""The role `collect`: observes channels with the Telegram accounts that this process leases."""

from analyticbot.process import Process, end_process
from analyticbot.roles.announcing import announce
from collect.account import Application
from collect.collecting import Collecting, Host
from collect.settings import CollectorSettings
from control.store import ControlStore


def collect(
    process: Process,
    control: ControlStore,
    application: Application,
    settings: CollectorSettings | None = None,
    *,
    needed: bool = True,
) -> None:
    """Starts collecting and announcing; both stop with the process's services. Does not wait.

    With `needed` the process is not ready while accounts are unusable.
    """
    collecting = Collecting(host_of(process), control, application, settings)
    process.health.add("accounts", collecting.check, needed=needed)
    process.services.add("collector", collecting.run())
    announce(process, control)


def host_of(process: Process) -> Host:
    return Host(
        process.log,
        process.clock,
        process.metrics,
        process.traces,
        process.holder,
        process.alone,
        process.settings.lease_s,
        end_process,
    )
