"""The part of a replayed recording that has arrived, by its dead letters and history."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping

import msgspec

from agents.engine.reasons import HandledReason
from clickhouse.history import History
from streams.between import read_between
from streams.codec import Undecodable, decode_event
from streams.ids import ChannelId, PostId
from streams.log import Log, Record
from streams.metrics import Metrics
from streams.sources.replay import Replayed, Rows
from streams.sources.replay_mark import RECORDING
from streams.topics import UPDATES

_READ_AT_ONCE = 500
#: Post ids per query.
_ASKED_AT_ONCE = 1000


class Arrived(msgspec.Struct):
    #: The rows that history has unless it lost some.
    rows: Rows
    #: Dead letters, by reason. Their rows do not count in `rows`.
    dead: Mapping[str, int] = {}
    #: Posts of the recording that history has lost. None without `history`.
    missing_posts: int | None = None
    #: Messages, and samples of counters, older than the open windows of their channels. Also 0 if
    #: unknown: in a cluster, the agents run in other processes.
    late_messages: int = 0
    late_samples: int = 0


async def arrival(
    replayed: Replayed, log: Log, history: History | None, metrics: Metrics | None
) -> Arrived:
    """Call it once everything replayed has been processed and stored.

    `history`, if any, is asked for missing posts; `metrics` are those of the agents, if they run in
    this process. Raises LogError, HistoryError.
    """
    dead, refused = Counter[str](), Rows()
    async for record in _dead_letters(log, replayed.identity):
        dead[record.headers["reason"].decode()] += 1
        try:
            refused.count(decode_event(record.value or b""))
        except Undecodable:
            continue
    arrived = Arrived(replayed.rows.without(refused), dead)
    if history is not None:
        arrived.missing_posts = await _missing(history, arrived.rows.post_ids)
    if metrics is not None:
        arrived.late_messages = _dropped(metrics, "late_message")
        arrived.late_samples = _dropped(metrics, "late_sample")
    return arrived


def _dropped(metrics: Metrics, reason: HandledReason) -> int:
    labels = {"stage": "updates", "reason": reason}
    return int(metrics.registry.get_sample_value("analyticbot_dropped_total", labels) or 0)


async def _dead_letters(log: Log, identity: str) -> AsyncIterator[Record]:
    """The recording's dead letters that the log still has."""
    if not await log.partitions(UPDATES.dead):
        return
    for partition, bounds in (await log.bounds(UPDATES.dead)).items():
        async for records in read_between(log, partition, bounds, _READ_AT_ONCE):
            for record in records:
                if record.headers.get(RECORDING) == identity.encode():
                    yield record


async def _missing(history: History, wanted: Mapping[ChannelId, Iterable[PostId]]) -> int:
    missing = 0
    for channel_id, post_ids in wanted.items():
        ids = sorted(post_ids)
        for start in range(0, len(ids), _ASKED_AT_ONCE):
            some = ids[start : start + _ASKED_AT_ONCE]
            asked = {"channel_id": channel_id, "post_ids": some}
            [row] = (await history.ask("posts_stored", asked)).rows
            missing += len(some) - int(row["posts"])
    return missing
