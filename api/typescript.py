"""What the page must know of the interface, as text that `make generated` writes.

The types of the live socket and of the REST answers for TypeScript, and the socket's JSON Schema,
all from the structs themselves: what REST answers is read off its routes.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, get_args, get_type_hints

import msgspec
from litestar.handlers import HTTPRouteHandler

from api import app, messages, responses
from api.instants import json_schema
from api.problems import Problem
from streams.kind import NotShown
from streams.kinds import KINDS
from streams.known import Kinds

_REF = "#/$defs/{name}"
_HEAD = "// Written by `make generated`: change the structs in Python, not this file.\n"
_ANSWER = "export interface Answer<T> {\n  data: T;\n  meta: Meta;\n}\n"


def live_types(kinds: Kinds = KINDS) -> str:
    """`kinds` are all that the program's own decisions send."""
    names = " | ".join(kind.__name__ for kind in messages.FRAMES)
    union = f"export type LiveMessage = {names};\n"
    change = "export type Change = Upsert['value'];\n"
    others = [
        kind.struct
        for kind in kinds
        if kind.struct not in messages.LISTS and not isinstance(kind.live, NotShown)
    ]
    declared = " | ".join(struct.__name__ for struct in others) or "never"
    note = "/** What an `Other` may carry, of this program's own decisions. */\n"
    told = f"{note}export type Declared = {declared};\n"
    return _module((*messages.FRAMES, *others), union, change, told)


def rest_types() -> str:
    return _module(rest(app.REST), _ANSWER)


def rest(routes: Sequence[HTTPRouteHandler]) -> Sequence[Any]:
    """What the routes answer, and what every answer has."""
    found = [responses.Meta, Problem]
    for route in routes:
        [data] = get_args(get_type_hints(route.fn)["return"])
        found += [of for of in get_args(data) or (data,) if of not in found]
    return found


def schema_text() -> str:
    return json.dumps(live_schema(), indent=2) + "\n"


def live_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a frame of the live socket."""
    schema = msgspec.json.schema(messages.LiveMessage)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def files(kinds: Kinds) -> Mapping[str, Callable[[], str]]:
    """What each generated file must hold, by its path below the repository's root."""
    return {
        "api/live.schema.json": schema_text,
        "dashboard/src/lib/live.gen.ts": partial(live_types, kinds),
        "dashboard/src/lib/rest.gen.ts": rest_types,
    }


def _module(types: Sequence[Any], *more: str) -> str:
    _, components = msgspec.json.schema_components(
        types, schema_hook=json_schema, ref_template=_REF
    )
    return "\n".join([_HEAD, *(_interface(n, components[n]) for n in sorted(components)), *more])


def _interface(name: str, schema: Mapping[str, Any]) -> str:
    lines = [f"  {line}" for line in _fields(schema)]
    text = schema.get("description", "").split("\n\n")[0].replace("\n", "\n * ")
    comment = f"/** {text} */\n" if text else ""
    return f"{comment}export interface {name} {{\n" + "\n".join(lines) + "\n}\n"


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    for name, field in schema["properties"].items():
        # A field with a default is always sent, unless its absence is what the default says.
        optional = name not in schema["required"] and "default" not in field
        yield f"{name}{'?' if optional else ''}: {_type(field)};"


def _type(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"$ref": str(reference)}:
            return reference.removeprefix("#/$defs/")
        case {"enum": list(values)}:
            return " | ".join(json.dumps(value) for value in values)
        case {"anyOf": list(choices)}:
            return " | ".join(_type(choice) for choice in choices)
        case {"type": "array", "items": items}:
            inner = _type(items)
            return f"({inner})[]" if " " in inner else f"{inner}[]"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"Record<string, {_type(values)}>"
        case {"type": "integer" | "number"}:
            return "number"
        case {"type": "string" | "boolean" | "null" as plain}:
            return str(plain)
        case {} if not schema:
            return "unknown"
        case _:
            raise TypeError(f"no TypeScript for {schema}")
