"""What is generated from the structs is what is committed."""

from api import typescript


def test_types_for_the_page_are_fresh() -> None:
    assert typescript.main(["--check"]) == 0


def test_schema_names_every_frame() -> None:
    schema = typescript.live_schema()
    assert {"Snapshot", "Changes", "Tick", "Gap"} <= set(schema["$defs"])
