"""`analyticbot channels`: the followed channels with their account and status."""

import argparse
import sys
from collections.abc import Mapping

import msgspec

from analyticbot.config import Settings
from analyticbot.listing import as_json, table
from analyticbot.observed import Observed, observed
from analyticbot.stores import opened_control
from api import responses
from api.times import iso
from control.store import Account, Followed
from streams.ids import ChannelId

HEADS = ("CHANNEL", "ID", "STATUS", "FOLLOWED SINCE", "LAST SAMPLE", "ACCOUNT", "REASON")


class Row(msgspec.Struct, frozen=True):
    """One followed channel. Unknown values are null."""

    channel: str
    id: int | None
    username: str | None
    title: str | None
    #: As in the API; `pending` before the first observation.
    status: str | None
    reason: str | None
    followed_since: str
    last_sample_at: str | None
    account: int | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


async def run(options: argparse.Namespace, settings: Settings) -> int:
    async with opened_control(settings) as control:
        followed = await control.followed()
        claims = await control.accounts.claims()
        accounts = {one.id: one for one in await control.accounts.all()}
    known = await observed(settings) if followed else Observed({})
    rows = [_row(one, known, accounts.get(claims.get(one.reference, 0))) for one in followed]
    if known.unknown:
        print(f"analyticbot: what was observed is not known: {known.unknown}", file=sys.stderr)
    if options.json:
        print(as_json(rows))
    elif not rows:
        print("nothing is followed: run `analyticbot follow @channel`")
    else:
        print(table(HEADS, [_cells(row) for row in rows]))
    return 0


def _row(followed: Followed, known: Observed, account: Account | None) -> Row:
    found = _found(followed, known.channels)
    status, reason = _status(followed, found, known)
    if trouble := _trouble(account):
        status, reason = "away", trouble
    return Row(
        channel=followed.reference,
        id=found.id if found else followed.channel_id,
        username=(found.username if found else None) or followed.username,
        title=found.title if found else None,
        status=status,
        reason=reason,
        followed_since=iso(followed.followed_since_ms),
        last_sample_at=found.last_sample_at if found else None,
        account=account.id if account else None,
    )


def _status(
    followed: Followed, found: responses.Channel | None, known: Observed
) -> tuple[str | None, str | None]:
    if found:
        return found.status, found.status_reason or None
    if followed.status != "pending":
        return followed.status, followed.status_reason or None
    return (None, None) if known.unknown else ("pending", "not observed yet")


def _found(
    followed: Followed, known: Mapping[ChannelId, responses.Channel]
) -> responses.Channel | None:
    """By id, or by name if no collector has resolved it yet."""
    if followed.channel_id is not None:
        return known.get(followed.channel_id)
    named = (one for one in known.values() if (one.username or "").lower() == followed.username)
    return next(named, None) if followed.username else None


def _trouble(account: Account | None) -> str | None:
    if account is None:
        return None
    if account.locked:
        return account.locked
    return f"Telegram refuses the session ({account.refused})" if account.refused else None


def _cells(row: Row) -> tuple[object, ...]:
    name = f"@{row.username}" if row.username else row.channel
    since, sampled = row.followed_since, row.last_sample_at
    return (name, row.id, row.status, since, sampled, row.account, row.reason or "")
