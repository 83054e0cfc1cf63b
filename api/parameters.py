"""The query and path parameters that several routes share, as the OpenAPI document tells them."""

from typing import Annotated, TypeAlias

from litestar.params import PathParameter, QueryParameter

from api.questions import Step

Reference: TypeAlias = Annotated[
    str,
    PathParameter(
        description="A username, with or without @, an id, bare or -100…, or a t.me link (encoded)"
    ),
]
FromWeek: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        name="from", description="ISO-8601, or -24h: so long ago; default: 7 days before `to`"
    ),
]
FromDay: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        name="from", description="ISO-8601, or -24h: so long ago; default: 24 hours before `to`"
    ),
]
To: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        name="to", description="ISO-8601, or -24h: so long ago; not included; default: now"
    ),
]
StepAsked: TypeAlias = Annotated[
    Step | None, QueryParameter(name="step", description="Default: what gives up to 300 points")
]
Limit: TypeAlias = Annotated[int, QueryParameter(name="limit", ge=1, le=500)]
Cursor: TypeAlias = Annotated[
    str | None, QueryParameter(name="cursor", description="`meta.cursor` of the page before")
]
