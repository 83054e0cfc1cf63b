"""What is generated from the structs is what is committed."""

from api import typescript
from tools import generated


def test_what_is_generated_is_fresh() -> None:
    assert generated.main(["--check"]) == 0


def test_rest_types_are_those_that_routes_answer() -> None:
    text = typescript.rest_types()
    for name in ("Meta", "Overview", "Views", "Post", "Alert", "Decided", "About", "Problem"):
        assert f"export interface {name} {{" in text


def test_schema_names_every_frame() -> None:
    schema = typescript.live_schema()
    assert {"Snapshot", "Changes", "Tick", "Gap"} <= set(schema["$defs"])
