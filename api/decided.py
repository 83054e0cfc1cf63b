"""GET /channels/{channel}/decided/{kind}: what decisions say in kinds that history keeps whole."""

from typing import Annotated, Any, Final

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from api import questions, responses
from api.parameters import Limit, Reference
from api.ports import Wired
from api.problems import Refused
from api.responses import Answer
from api.times import iso
from clickhouse.reader import Evidence
from streams.kind import KeptWhole
from streams.known import Kinds

KindAsked = Annotated[str, PathParameter(description="The kind of the messages, as they say it")]


class Decided(msgspec.Struct, frozen=True):
    """One message of a decision: the newest with its key."""

    key: str
    observed_at: str
    #: As the decision sent it: times in it are milliseconds.
    message: Any


class _Row(msgspec.Struct, frozen=True):
    key: str
    body: str
    observed_at_ms: int


@get("/channels/{channel:str}/decided/{kind:str}", tags=["decisions"])
async def decided(
    ports: Wired, channel: Reference, kind: KindAsked, limit: Limit = 100
) -> Answer[list[Decided]]:
    """What was decided of a channel in one kind of message, newest first."""
    _check(kind, ports.kinds)
    channel_id = await questions.channel_id(ports, channel)
    asked = {"channel_id": channel_id, "kind": kind, "limit": limit}
    rows = await ports.reader.ask("messages", _Row, **asked)
    found = [Decided(r.key, iso(r.observed_at_ms), msgspec.json.decode(r.body)) for r in rows]
    return Answer(found, responses.meta(Evidence([], {})))


def _check(kind: str, kinds: Kinds) -> None:
    """Raises Refused."""
    kept = [each.tag for each in kinds if isinstance(each.history, KeptWhole)]
    if kind not in kept:
        known = ", ".join(kept) or "none"
        raise Refused(404, "kind-unknown", f"history keeps no kind {kind!r} whole; known: {known}")


ROUTES: Final[list[HTTPRouteHandler]] = [decided]
