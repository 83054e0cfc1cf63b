import pytest

from analyticbot.greeting import COMING, greeting, taking_off


@pytest.mark.parametrize(
    ("speed", "wait"), [(60.0, "48 s"), (600.0, "5 s"), (1.0, "48 min"), (24.0, "2 min")]
)
def test_what_takes_off_is_announced_in_the_time_of_who_waits(speed: float, wait: str) -> None:
    assert f"in about {wait} a post of @x takes off" in taking_off("@x", 48 * 60_000, speed)


def test_it_names_the_page_the_documents_and_all_that_will_happen() -> None:
    lines = greeting("http://127.0.0.1:8000", 60, 1_750_000_000_000).splitlines()
    assert lines[1].endswith(" http://127.0.0.1:8000")
    assert lines[2].endswith(" http://127.0.0.1:8000/docs")
    assert lines[3].endswith(" Sun 15 Jun 15:06 UTC")
    assert [line[19:] for line in lines[4:-1]] == list(COMING)
    assert lines[-1].startswith("Ctrl-C")
