"""Writes what the page must know of the interface: `python -m api.typescript [--check]`.

The types of the live socket and of the REST answers for TypeScript, and the socket's JSON Schema,
all from the structs themselves. `--check` writes nothing and exits 1 when a file is stale.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from api import messages, responses
from api.problems import Problem
from clickhouse.reader import Overview

_ROOT = Path(__file__).parent.parent
_REF = "#/$defs/{name}"
_HEAD = "// Written by `python -m api.typescript`: change the structs in api/, not this file.\n"
_ANSWER = "export interface Answer<T> {\n  data: T;\n  meta: Meta;\n}\n"

REST = (
    responses.Meta,
    responses.About,
    responses.Channel,
    Overview,
    responses.Views,
    responses.Growth,
    responses.Post,
    responses.Curve,
    responses.Alert,
    Problem,
)


def live_types() -> str:
    names = " | ".join(kind.__name__ for kind in messages.FRAMES)
    union = f"export type LiveMessage = {names};\n"
    return _module(messages.FRAMES, union, "export type Change = Upsert['value'];\n")


def rest_types() -> str:
    return _module(REST, _ANSWER)


def schema_text() -> str:
    return json.dumps(live_schema(), indent=2) + "\n"


def live_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a frame of the live socket."""
    schema = msgspec.json.schema(messages.LiveMessage)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


#: What each generated file must hold, by its path below the repository's root.
FILES: Mapping[str, Callable[[], str]] = {
    "api/live.schema.json": schema_text,
    "dashboard/src/lib/live.gen.ts": live_types,
    "dashboard/src/lib/rest.gen.ts": rest_types,
}


def main(arguments: Sequence[str]) -> int:
    stale = {name: text for name, write in FILES.items() if (text := write()) != _read(name)}
    for name, text in stale.items():
        if "--check" in arguments:
            sys.stderr.write(f"{name} is stale: run python -m api.typescript\n")
        else:
            (_ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (_ROOT / name).write_text(text, encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


def _read(name: str) -> str | None:
    path = _ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else None


def _module(types: Sequence[Any], *more: str) -> str:
    _, components = msgspec.json.schema_components(types, ref_template=_REF)
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
        case _:
            raise TypeError(f"no TypeScript for {schema}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
