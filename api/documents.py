"""What machines read to learn the interface: /openapi.json, /asyncapi.json, and /docs for people.

Swagger UI's files are served from the dashboard's build; the page names nothing outside.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec
from litestar import Litestar, Request, Router, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import License

from api.cloudevents import CloudEvent, types_of
from api.messages import FRAMES
from api.pages import POLICY
from api.ports import Wired
from api.problems import MEDIA_TYPE, Problem
from api.settings import Settings
from clickhouse.definitions import FIELDS
from streams.known import Kinds

_SWAGGER = "/swagger"
_SCHEMAS = "#/components/schemas/{name}"
_PROBLEM = {
    "description": "A problem, as RFC 9457 has it",
    "content": {MEDIA_TYPE: {"schema": {"$ref": _SCHEMAS.format(name="Problem")}}},
}
_LIVE_BINDINGS = {
    "ws": {
        "query": {
            "type": "object",
            "properties": {
                "channels": {
                    "type": "string",
                    "description": "Channels in any spelling, separated by commas; default: all",
                },
                "resume": {
                    "type": "string",
                    "description": "The cursor of the last frame received: gives what was missed",
                },
            },
        }
    }
}
#: How the framework names Answer[T] and Answer[list[T]].
_ANSWER = re.compile(r"Answer_(list_)?[a-z_.]*?([A-Z]\w*?)_(?=\")")
_SCRIPT = """
window.ui = SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null,
});
"""
_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>AnalyticBot API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{_SWAGGER}/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{_SWAGGER}/swagger-ui-bundle.js"></script>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def openapi(settings: Settings) -> OpenAPIConfig:
    return OpenAPIConfig(
        title=settings.name,
        version=settings.version,
        description=(
            "What was observed of Telegram channels. Times are ISO-8601 in UTC; null is "
            "'not known', never zero; `meta` says when, from what, and of how much of the time or "
            "of the posts each figure is known. The live socket and the "
            "taps are described by /asyncapi.json."
        ),
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        openapi_router=Router(
            "/docs",
            route_handlers=[],
            response_headers={"Content-Security-Policy": _policy()},
            include_in_schema=False,
        ),
        render_plugins=[_Docs(path="/", favicon="")],
        use_handler_docstrings=True,
    )


def _policy() -> str:
    """That of the dashboard, and the one script that stands in the page."""
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    return f"{POLICY}; script-src 'self' 'sha256-{digest}'"


class _Docs(OpenAPIRenderPlugin):
    """Swagger UI, without a request to anywhere else."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return _PAGE.encode()


@get("/openapi.json", include_in_schema=False)
async def openapi_json(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """OpenAPI 3.1 of the REST interface and the taps."""
    document: dict[str, Any] | None = request.app.state.get("openapi")
    if document is None:
        document = request.app.state["openapi"] = describe_rest(request.app)
    return document


def describe_rest(app: Litestar) -> dict[str, Any]:
    """The framework's description, with our one shape of errors and shorter names."""
    document = app.openapi_schema.to_schema()
    _, schemas = msgspec.json.schema_components([Problem], ref_template=_SCHEMAS)
    document["components"]["schemas"].update(schemas)
    _put_definitions(document["components"]["schemas"])
    document["components"]["responses"] = {"Problem": _PROBLEM}
    for item in document["paths"].values():
        responses = item["get"]["responses"]
        for status in [status for status in responses if status != "200"]:
            del responses[status]
        responses["default"] = {"$ref": "#/components/responses/Problem"}
    text = _ANSWER.sub(r"\1\2Answer", msgspec.json.encode(document).decode())
    return cast("dict[str, Any]", msgspec.json.decode(text))


def _put_definitions(schemas: dict[str, Any]) -> None:
    """Every figure says what it means and what it rests on."""
    for schema, fields in FIELDS.items():
        for name, sentence in fields.items():
            schemas[schema]["properties"][name]["description"] = f"{sentence}."


@get("/asyncapi.json", include_in_schema=False)
async def asyncapi(ports: Wired) -> dict[str, Any]:
    """AsyncAPI 3.1.0 of the live socket and the taps."""
    return describe_streams(ports.settings, ports.kinds)


def describe_streams(settings: Settings, kinds: Kinds) -> dict[str, Any]:
    events = types_of(kinds)
    _, schemas = msgspec.json.schema_components(
        [*FRAMES, CloudEvent, *events], ref_template=_SCHEMAS
    )
    frames = {kind.__name__: _message(kind.__name__, "application/json") for kind in FRAMES}
    taps = {kind.__name__: _event_message(kind.__name__, name) for kind, name in events.items()}
    return {
        "asyncapi": "3.1.0",
        "info": {"title": settings.name, "version": settings.version},
        "servers": {
            "socket": {"host": f"{settings.host}:{settings.port}", "protocol": "ws"},
            "sse": {"host": f"{settings.host}:{settings.port}", "protocol": "http"},
        },
        "channels": {
            "live": {**_channel("/api/v1/live", "socket", frames), "bindings": _LIVE_BINDINGS},
            "taps": _channel("/api/v1/taps/stream", "sse", taps),
        },
        "operations": {
            "sendLive": {"action": "send", "channel": {"$ref": "#/channels/live"}},
            "sendTaps": {"action": "send", "channel": {"$ref": "#/channels/taps"}},
        },
        "components": {"messages": {**frames, **taps}, "schemas": schemas},
    }


def query_parameters(app: Litestar) -> Iterator[tuple[str, frozenset[str]]]:
    """The names of the query parameters of each described GET route."""
    for path, item in (app.openapi_schema.paths or {}).items():
        operation = item.get
        if operation is not None:
            given = [p.to_schema() for p in operation.parameters or []]
            yield path, frozenset(p["name"] for p in given if p["in"] == "query")


def _channel(address: str, server: str, messages: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": address,
        "servers": [{"$ref": f"#/servers/{server}"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _message(name: str, content_type: str) -> dict[str, Any]:
    payload = {"$ref": f"#/components/schemas/{name}"}
    return {"name": name, "contentType": content_type, "payload": payload}


def _event_message(name: str, event_type: str) -> dict[str, Any]:
    payload = {
        "allOf": [
            {"$ref": "#/components/schemas/CloudEvent"},
            {
                "properties": {
                    "type": {"const": event_type},
                    "data": {"$ref": f"#/components/schemas/{name}"},
                }
            },
        ]
    }
    content_type = "application/cloudevents+json"
    return {"name": event_type, "contentType": content_type, "payload": payload}
