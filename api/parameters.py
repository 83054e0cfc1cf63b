"""The query and path parameters that several routes share, as the OpenAPI document tells them."""

from typing import Annotated, TypeAlias

from litestar.params import Parameter

from api.questions import Step

Reference: TypeAlias = Annotated[
    str, Parameter(description="A username, with or without @, or an id, bare or -100…")
]
FromWeek: TypeAlias = Annotated[
    str | None, Parameter(query="from", description="ISO-8601; default: 7 days before `to`")
]
FromDay: TypeAlias = Annotated[
    str | None, Parameter(query="from", description="ISO-8601; default: 24 hours before `to`")
]
To: TypeAlias = Annotated[
    str | None, Parameter(query="to", description="ISO-8601, not included; default: now")
]
StepAsked: TypeAlias = Annotated[
    Step | None, Parameter(query="step", description="Default: what gives up to 300 points")
]
Limit: TypeAlias = Annotated[int, Parameter(query="limit", ge=1, le=500)]
Cursor: TypeAlias = Annotated[
    str | None, Parameter(query="cursor", description="`meta.cursor` of the page before")
]
