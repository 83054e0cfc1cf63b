"""GET /channels and what hangs below a channel, except its posts."""

from collections.abc import Sequence
from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler

from api import paging, questions, responses
from api.parameters import Cursor, FromDay, FromWeek, Limit, Reference, StepAsked, To
from api.ports import Ports, Wired
from api.problems import Refused
from api.responses import Answer
from clickhouse.reader import Alert, Channel, Overview
from control.unobserved import unobserved
from streams.ids import ChannelId
from streams.units import DAY_MS, WEEK_MS


async def known_channels(ports: Ports) -> Sequence[Channel]:
    """Those in history, then those that were first observed so lately that they are not there."""
    rows = list(await ports.reader.channels())
    stored = {row.id for row in rows}
    for channel_id, view in ports.live.view.channels.items():
        if channel_id not in stored and view.summary is not None:
            rows.append(responses.channel_of(view.summary))
    return rows


@get("/channels", tags=["channels"])
async def channels(
    ports: Wired, limit: Limit = 100, cursor: Cursor = None
) -> Answer[list[responses.Channel]]:
    """Every channel that was ever observed, then those that are followed and were not."""
    rows, followed = await known_channels(ports), await ports.followed.all()
    of_id = {one.channel_id: one for one in followed if one.channel_id is not None}
    said = [responses.channel(row, of_id.get(row.id)) for row in rows]
    said += [responses.unobserved(one) for one in unobserved(followed, rows)]
    page = paging.cut(said, paging.read(cursor), limit)
    return Answer(list(page.rows), responses.channels_meta(rows, page.cursor))


@get("/channels/{channel:str}", tags=["channels"])
async def one_channel(ports: Wired, channel: Reference) -> Answer[responses.Channel]:
    """One channel."""
    known, followed = await known_channels(ports), await ports.followed.all()
    named = questions.reference(channel)
    for one in unobserved(followed, known):
        if named in (one.reference, one.username, one.channel_id):
            return Answer(responses.unobserved(one), responses.channels_meta(()))
    channel_id = await questions.channel_id(ports, channel)
    rows = [row for row in known if row.id == channel_id]
    if not rows:
        raise Refused(404, "channel-unknown", f"{channel} has been announced, but not observed")
    mine = next((one for one in followed if one.channel_id == channel_id), None)
    return Answer(responses.channel(rows[0], mine), responses.channels_meta(rows))


@get("/channels/{channel:str}/overview", tags=["channels"])
async def overview(
    ports: Wired, channel: Reference, from_: FromWeek = None, to: To = None
) -> Answer[Overview]:
    """The figures of a range; the glossary defines each."""
    channel_id = await questions.channel_id(ports, channel)
    asked = questions.time_range(from_, to, ports.clock.now_ms(), WEEK_MS)
    row, evidence = await ports.reader.overview(channel_id, *asked)
    return Answer(row, responses.meta(evidence, asked))


@get("/channels/{channel:str}/views", tags=["channels"])
async def views(
    ports: Wired,
    channel: Reference,
    from_: FromDay = None,
    to: To = None,
    step: StepAsked = None,
) -> Answer[responses.Views]:
    """What was gained, by the time at which it was observed."""
    channel_id = await questions.channel_id(ports, channel)
    asked, step_ms = questions.stepped(from_, to, step, ports.clock.now_ms(), DAY_MS)
    points, evidence = await ports.reader.views(channel_id, *asked, step_ms)
    return Answer(responses.Views(points), responses.meta(evidence, asked))


@get("/channels/{channel:str}/growth", tags=["channels"])
async def growth(
    ports: Wired,
    channel: Reference,
    from_: FromWeek = None,
    to: To = None,
    step: StepAsked = None,
) -> Answer[responses.Growth]:
    """Subscribers, and how they changed."""
    channel_id = await questions.channel_id(ports, channel)
    asked, step_ms = questions.stepped(from_, to, step, ports.clock.now_ms(), WEEK_MS)
    points, evidence = await ports.reader.growth(channel_id, *asked, step_ms)
    return Answer(responses.Growth(points), responses.meta(evidence, asked))


@get("/channels/{channel:str}/alerts", tags=["channels"])
async def alerts(
    ports: Wired,
    channel: Reference,
    from_: FromWeek = None,
    to: To = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer[list[Alert]]:
    """Alerts of a channel, newest first. Coverage: the share of the range that was sampled."""
    channel_id = await questions.channel_id(ports, channel)
    return await _alerts(ports, channel_id, from_, to, limit, cursor)


@get("/alerts", tags=["alerts"])
async def all_alerts(
    ports: Wired,
    from_: FromWeek = None,
    to: To = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer[list[Alert]]:
    """Alerts of all channels, newest first. Each channel's own list says how much was watched."""
    return await _alerts(ports, None, from_, to, limit, cursor)


async def _alerts(
    ports: Ports,
    channel_id: ChannelId | None,
    from_: str | None,
    to: str | None,
    limit: int,
    cursor: str | None,
) -> Answer[list[Alert]]:
    """Of one channel, or of all. A further page asks for the range of the first."""
    place = paging.read(cursor)
    now_ms = ports.clock.now_ms() if place.to_ms is None else place.to_ms
    asked = questions.time_range(from_, to, now_ms, WEEK_MS)
    rows, evidence = await ports.reader.alerts(channel_id, *asked, place.start + limit + 1)
    page = paging.cut(rows, place, limit, asked.to_ms)
    return Answer(list(page.rows), responses.meta(evidence, asked, page.cursor))


ROUTES: Final[list[HTTPRouteHandler]] = [
    channels,
    one_channel,
    overview,
    views,
    growth,
    alerts,
    all_alerts,
]
