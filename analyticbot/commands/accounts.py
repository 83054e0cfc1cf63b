"""`analyticbot accounts`: the Telegram accounts, the processes that use them, and their faults."""

import argparse
from collections import Counter

import msgspec

from analyticbot.config import Settings
from analyticbot.listing import as_json, table
from analyticbot.stores import opened_control
from api.times import iso
from control.store import ACCOUNT_LEASES, Account, account_lease

HEADS = ("ACCOUNT", "STATUS", "CHANNELS", "SIGNED IN SINCE", "USED BY", "REASON")


class Row(msgspec.Struct, frozen=True):
    """One account, without its secrets."""

    account: int
    #: used, free, refused (by Telegram), locked (the present key does not open its session).
    status: str
    reason: str | None
    channels: int
    signed_in_since: str
    #: The process that has its lease.
    used_by: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


async def run(options: argparse.Namespace, settings: Settings) -> int:
    async with opened_control(settings) as control:
        accounts = await control.accounts.all()
        channels = Counter((await control.accounts.claims()).values())
        leases = await control.leases.held(ACCOUNT_LEASES)
    holders = {lease.name: lease.holder for lease in leases}
    rows = [_row(one, channels[one.id], holders.get(account_lease(one.id))) for one in accounts]
    if options.json:
        print(as_json(rows))
    elif not rows:
        print("nobody is logged in to Telegram: run `analyticbot login`")
    else:
        print(table(HEADS, [_cells(row) for row in rows]))
    return 0


def _row(account: Account, channels: int, holder: str | None) -> Row:
    status = "used" if holder else "free"
    if account.refused:
        status = "refused"
    if account.locked:
        status = "locked"
    return Row(
        account=account.id,
        status=status,
        reason=account.locked or account.refused,
        channels=channels,
        signed_in_since=iso(account.added_at_ms),
        used_by=holder,
    )


def _cells(row: Row) -> tuple[object, ...]:
    since, reason = row.signed_in_since, row.reason or ""
    return (row.account, row.status, row.channels, since, row.used_by, reason)
