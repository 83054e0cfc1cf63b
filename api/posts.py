"""GET /channels/{channel}/posts and what hangs below a post."""

from typing import Annotated, Final, Literal

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter

from api import questions, responses
from api.parameters import Cursor, FromWeek, Limit, Reference, To
from api.ports import Wired
from api.problems import Refused
from api.responses import Answer
from clickhouse.reader import Post
from streams.ids import PostId
from streams.units import WEEK_MS

Sort = Literal["date", "views", "forwards", "replies", "reactions", "velocity"]
PostAsked = Annotated[int, PathParameter(ge=1, le=2**31 - 1)]
SortAsked = Annotated[Sort, QueryParameter(name="sort", description="Newest or highest first")]


@get("/channels/{channel:str}/posts", tags=["posts"])
async def posts(
    ports: Wired,
    channel: Reference,
    from_: FromWeek = None,
    to: To = None,
    sort: SortAsked = "date",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer[list[Post]]:
    """Posts published in a range, with their newest counters."""
    channel_id = await questions.channel_id(ports, channel)
    asked = questions.time_range(from_, to, ports.clock.now_ms(), WEEK_MS)
    page, evidence = await ports.reader.posts(channel_id, *asked, sort, limit, cursor)
    return Answer(list(page.rows), responses.meta(evidence, asked, page.cursor))


@get("/channels/{channel:str}/posts/{post_id:str}", tags=["posts"])
async def one_post(ports: Wired, channel: Reference, post_id: PostAsked) -> Answer[Post]:
    """A post with its newest counters."""
    channel_id = await questions.channel_id(ports, channel)
    found = await ports.reader.post(channel_id, PostId(post_id))
    if found is None:
        raise _unknown(channel, post_id)
    row, evidence = found
    return Answer(row, responses.meta(evidence))


@get("/channels/{channel:str}/posts/{post_id:str}/curve", tags=["posts"])
async def curve(ports: Wired, channel: Reference, post_id: PostAsked) -> Answer[responses.Curve]:
    """Every sample of a post's counters, oldest first."""
    channel_id = await questions.channel_id(ports, channel)
    found = await ports.reader.curve(channel_id, PostId(post_id))
    if found is None:
        raise _unknown(channel, post_id)
    points, evidence = found
    return Answer(responses.Curve(points), responses.meta(evidence))


def _unknown(channel: str, post_id: int) -> Refused:
    return Refused(404, "post-unknown", f"{channel} has no post {post_id} that was observed")


ROUTES: Final[list[HTTPRouteHandler]] = [posts, one_post, curve]
