"""Any row and its oddly spelled twin are the same post; whatever a row holds, it is no crash."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.recording_lines import Refused
from tests.streams.test_spellings import ROW, read

#: Hypothesis takes them without a zone.
EARLIEST = datetime.fromisoformat("2013-01-02")
LATEST = datetime.fromisoformat("2026-01-01")
instants = st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
offsets = st.integers(-12 * 4, 14 * 4).map(lambda n: timezone(timedelta(minutes=15 * n)))


def spelled(at: datetime, draw: Callable[[st.SearchStrategy[Any]], Any]) -> object:
    ms = round(at.timestamp() * 1000)
    local = at.astimezone(draw(offsets))
    return draw(
        st.sampled_from(
            (
                ms,
                str(ms),
                float(ms),
                ms * 1000,
                local.isoformat(),
                local.isoformat(sep=" "),
                local.strftime("%Y-%m-%dT%H:%M:%S.%f%z"),
            )
        )
    )


@st.composite
def twins(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A row, and the same row as somebody may write it."""
    dated = draw(instants)
    plain: dict[str, Any] = {
        "channel": draw(st.sampled_from(("news", 1_500_000_003))),
        "message_id": draw(st.integers(1, 2**31 - 1)),
        "date": dated.isoformat(),
        "text": draw(st.text(st.characters(exclude_categories=("Cs",)), max_size=20)),
    }
    odd: dict[str, Any] = {
        **plain,
        "message_id": draw(st.sampled_from((str, float)))(plain["message_id"]),
        "date": spelled(dated, draw),
    }
    if draw(st.booleans()):
        plain["sampled_at"] = (dated + timedelta(hours=1)).isoformat()
        odd["sampled_at"] = spelled(dated + timedelta(hours=1), draw)
        for name in ("views", "forwards", "replies"):
            count = draw(st.none() | st.integers(0, 2**53 - 1))
            plain[name] = count
            unknown = st.sampled_from((None, "", "nan", float("nan")))
            known = st.sampled_from((str, float, lambda n: f"{n}.0"))
            odd[name] = draw(unknown) if count is None else draw(known)(count)
        reactions = draw(st.none() | st.dictionaries(st.sampled_from("👍❤🔥"), st.integers(0, 99)))
        plain["reactions"] = reactions
        listed = [{"emoji": e, "count": n} for e, n in (reactions or {}).items()]
        odd["reactions"] = (
            None
            if reactions is None
            else draw(st.sampled_from((listed, json.dumps(reactions), reactions)))
        )
    return plain, odd


@given(twins())
def test_a_row_and_its_oddly_spelled_twin_are_the_same_post(
    rows: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    plain, odd = (read(row) for row in rows)
    assert odd[0].post() == plain[0].post()
    assert odd[0].sampled_at == plain[0].sampled_at
    assert odd[1] == plain[1] == []


@given(
    st.dictionaries(
        st.sampled_from(list(ROW)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    )
)
def test_whatever_a_row_holds_it_is_taken_or_refused_in_one_line(changed: dict[str, Any]) -> None:
    told: list[str] = []
    try:
        row, told = read({**ROW, **changed})
        row.post()
    except Refused as refusal:
        told = [str(refusal)]
    assert all("\n" not in fault for fault in told)
