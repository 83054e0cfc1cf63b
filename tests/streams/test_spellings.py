"""A row as people's scripts write it means what the well-written row means, or is refused."""

import json
from typing import Any

import pytest

from streams.limits import LAST_MS
from streams.recording_lines import Refused, RowReader
from streams.recording_rows import PostRow, ViewRow
from streams.spellings import zone_named

ROW: dict[str, Any] = {
    "channel": "newcomer",
    "channel_id": 1_500_000_003,
    "message_id": 7,
    "date": "2026-01-10T12:00:00Z",
    "sampled_at": "2026-01-12T12:00:00Z",
    "views": 100,
}
#: Milliseconds of its date.
DATE_MS = 1_768_046_400_000
NOW_MS = LAST_MS


def read(row: dict[str, Any] | bytes, zone: str | None = None) -> tuple[PostRow, list[str]]:
    line = row if isinstance(row, bytes) else json.dumps(row).encode()
    reader = RowReader(PostRow, None if zone is None else zone_named(zone), NOW_MS)
    found, faults = reader.read(line)
    return found, [str(fault) for fault in faults]


def refused(row: dict[str, Any] | bytes) -> str:
    with pytest.raises(Refused) as raised:
        read(row)
    return str(raised.value)


@pytest.mark.parametrize(
    ("field", "odd", "plain"),
    [
        ("views", 1660.0, 1660),
        ("views", "120", 120),
        ("views", " 120.0 ", 120),
        ("views", float("nan"), None),
        ("views", "", None),
        ("views", "NaN", None),
        ("views", None, None),
        ("forwards", 3.0, 3),
        ("replies", "null", None),
        ("message_id", "7", 7),
        ("message_id", 7.0, 7),
        ("channel_id", "-1001500000003", 1_500_000_003),
        ("channel_id", 1500000003.0, 1_500_000_003),
        ("channel_id", float("nan"), None),
        ("channel_id", "", None),
        ("date", "2026-01-10 12:00:00+00:00", ROW["date"]),
        ("date", "2026-01-10T12:00:00+0000", ROW["date"]),
        ("date", "2026-01-10T12:00:00+00", ROW["date"]),
        ("date", "2026-01-10t12:00:00z", ROW["date"]),
        ("date", "2026-01-10 12:00:00 UTC", ROW["date"]),
        ("date", "2026-01-10T15:00+03:00", ROW["date"]),
        ("date", "2026-01-10T06:30:00-0530", ROW["date"]),
        ("date", DATE_MS // 1000, ROW["date"]),
        ("date", f"{DATE_MS // 1000}", ROW["date"]),
        ("date", DATE_MS / 1000 + 0.25, "2026-01-10T12:00:00.250Z"),
        ("date", DATE_MS, ROW["date"]),
        ("date", DATE_MS * 1000, ROW["date"]),
        ("date", DATE_MS * 1_000_000, ROW["date"]),
        ("date", "2026-01-10 12:00:00,123456789+00:00", "2026-01-10T12:00:00.123Z"),
        ("edit_date", "", None),
        ("edit_date", "NaT", None),
        ("reactions", [{"emoji": "👍", "count": 5}], {"👍": 5}),
        ("reactions", [{"type": "emoji", "count": "5", "emoji": "👍"}], {"👍": 5}),
        ("reactions", [{"type": "paid", "count": 50}], {"paid": 50}),
        ("reactions", [{"reaction": "❤", "count": 1.0}], {"❤": 1}),
        (
            "reactions",
            {"results": [{"reaction": {"_": "ReactionEmoji", "emoticon": "👍"}, "count": 5}]},
            {"👍": 5},
        ),
        (
            "reactions",
            [{"type": "custom_emoji", "count": 2, "document_id": "55"}],
            {"custom:55": 2},
        ),
        ("reactions", '{"👍": 5, "paid": 50}', {"👍": 5, "paid": 50}),
        ("reactions", {"👍": 5.0}, {"👍": 5}),
        ("reactions", "", None),
        ("reactions", [], {}),
        ("text", [{"type": "bold", "text": "x"}, " plain"], "x plain"),
        ("text", "bad \ud83d half", "bad \ufffd half"),
        ("text", "nul\0char", "nul\ufffdchar"),
        ("text", float("nan"), ""),
        ("text", None, ""),
        ("text", 2026, "2026"),
        ("album_id", "13312345678901234", 13312345678901234),
        ("album_id", 5.0, 5),
        ("media", "", None),
        ("media", float("nan"), None),
        ("fwd_from_channel", 1500000003.0, "1500000003"),
        ("fwd_from_channel", "nan", None),
        ("fwd_from_channel", "", None),
    ],
)
def test_an_odd_spelling_means_what_the_plain_one_means(
    field: str, odd: object, plain: object
) -> None:
    row, faults = read({**ROW, field: odd})
    expected, none = read({**ROW, field: plain} if plain is not None else without(field))
    assert row.post() == expected.post()
    assert (row.channel, row.sampled_at) == (expected.channel, expected.sampled_at)
    assert faults == none == []


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in ROW.items() if name != field}


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("views", "1.2K", "views: '1.2K' is rounded; write a whole number, 0 or more"),
        ("views", "3,4 тыс", "views: '3,4 тыс' is not a whole number; write"),
        ("views", "1,660", "views: '1,660' is not a whole number; write"),
        ("views", 1660.5, "views: 1660.5 is not a whole number; write"),
        ("views", True, "views: true is not a whole number; write"),
        ("views", 2**53, "views: 9007199254740992 is higher than any counter; write"),
        ("views", float("inf"), "views: Infinity is not a whole number; write"),
        ("replies", -1, "replies: -1 is below 0; write a whole number, 0 or more"),
        ("edit_date", "yesterday", "edit_date: 'yesterday' is not a time; write UTC (2026-"),
        ("edit_date", "2012-01-01T00:00:00Z", "edit_date: 2012-01-01T00:00:00+00:00 is before 20"),
        ("reactions", {"👍": -5}, 'reactions: {"👍": -5} is below 0; write'),
        ("reactions", "{'👍': 5}", "reactions: \"{'👍': 5}\" are not reactions; write"),
        (
            "reactions",
            [{"emoji": "👍", "count": 1}, {"emoji": "👍", "count": 2}],
            "reactions: ",
        ),
        ("text", {"a": 1}, 'text: {"a": 1} is not text; write'),
        ("text", 1.5, "text: 1.5 is not text; write"),
        ("media", ["photo"], 'media: ["photo"] is not text; write a text'),
        ("album_id", 1.3312345678901234e16, "album_id: 1.3312345678901234e+16 is a float that"),
        ("album_id", 2**63, "album_id: 9223372036854775808 does not fit into 64 bits; write"),
        ("fwd_from_channel", {"id": 5}, 'fwd_from_channel: {"id": 5} is not a whole number'),
    ],
)
def test_a_value_that_cannot_be_taken_is_told_and_the_row_is_taken_without_it(
    field: str, value: object, told: str
) -> None:
    row, [fault] = read({**ROW, field: value})
    expected, _ = read(without(field))
    assert row.post() == expected.post()
    assert fault.startswith(told)
    assert "\n" not in fault


def test_counters_whose_instant_cannot_be_taken_are_told_once() -> None:
    row, faults = read({**ROW, "sampled_at": "2026-01-12T12:00:00"})
    assert (row.post().views, row.sampled_at) == (None, None)
    [fault] = faults
    assert fault == (
        "sampled_at: '2026-01-12T12:00:00' has no time zone; write UTC (2026-01-10T12:00:00Z), an "
        "offset (2026-01-10T15:00:00+03:00) or a Unix time; or set --timezone"
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"date": "2026-01-10T12:00:00"},
            "date: '2026-01-10T12:00:00' has no time zone; write UTC",
        ),
        ({"date": "2026-01-10"}, "date: '2026-01-10' is not a time; write UTC"),
        ({"date": "2026-13-10T12:00:00Z"}, "date: '2026-13-10T12:00:00Z' is not a time; write UTC"),
        ({"date": "2026-01-10T12:00:00+99:00"}, "date: '2026-01-10T12:00:00+99:00' is not a time"),
        ({"date": "0001-01-01T00:00:00+14:00"}, "date: 0001-01-01T00:00:00+14:00 is before 2013"),
        ({"date": 20260110}, "date: 20260110 is not a Unix time between 2013 and 2100; write UTC"),
        ({"date": ""}, "date: is missing"),
        ({"date": "2012-12-31T23:59:59Z"}, "date: 2012-12-31T23:59:59+00:00 is before 2013, when"),
        ({"date": "2100-01-01T00:00:00Z"}, "date: 2100-01-01T00:00:00+00:00 is after 2099"),
        ({"message_id": 0}, "message_id: 0 is not a post id; write Telegram's number of"),
        ({"message_id": 2**31}, "message_id: 2147483648 is not a post id; write Telegram's"),
        ({"message_id": None}, "message_id: is missing"),
        ({"channel": None, "channel_id": None}, "channel: is missing"),
        ({"channel_id": 1.5}, "channel_id: 1.5 is not a whole number; write a @username or a"),
    ],
)
def test_a_row_that_says_nothing_without_a_value_is_refused_with_it(
    changed: dict[str, Any], told: str
) -> None:
    assert refused({**ROW, **changed}).startswith(told)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"[1, 2]", "'[1, 2]' is no JSON object; write one JSON object a line"),
        (b"[", "'[' is not JSON; write one JSON object a line"),
        (b"5", "'5' is no JSON object; write one JSON object a line"),
        ('{"text": "день"}'.encode("cp1251"), "is not UTF-8; save the file as UTF-8"),
        (b'{"channel": ' + b"[" * 100_000, "is not JSON; write one JSON object a line"),
        (b'{"message_id": ' + b"1" * 5000 + b"}", "is not JSON; write one JSON object a line"),
    ],
)
def test_a_line_that_is_no_row_is_told_in_one_short_line(line: bytes, told: str) -> None:
    found = refused(line)
    assert told in found
    assert "\n" not in found
    assert len(found) < 200


def test_the_mark_of_utf8_at_the_start_of_a_file_is_no_part_of_the_row() -> None:
    row, faults = read(b"\xef\xbb\xbf" + json.dumps(ROW).encode())
    assert (row.message_id, faults) == (7, [])


def test_a_sample_without_its_views_is_no_sample() -> None:
    reader = RowReader(ViewRow, None, NOW_MS)
    row = {"channel": "news", "message_id": 1, "sampled_at": ROW["date"], "views": "1.2K"}
    with pytest.raises(Refused, match=r"views: '1\.2K' is rounded"):
        reader.read(json.dumps(row).encode())


@pytest.mark.parametrize(
    ("zone", "date"),
    [
        ("UTC", "2026-01-10T12:00:00"),
        ("+03:00", "2026-01-10 15:00:00"),
        ("-05:30", "2026-01-10T06:30"),
        ("Europe/Moscow", "2026-01-10T15:00:00.000"),
    ],
)
def test_a_time_without_a_zone_is_in_the_one_that_is_told(zone: str, date: str) -> None:
    row, faults = read({**ROW, "date": date}, zone)
    assert (row.post().date_ms, faults) == (DATE_MS, [])


@pytest.mark.parametrize("night", ["2025-10-26T02:30:00", "2025-03-30T02:30:00"])
def test_a_time_that_clocks_showed_twice_or_never_is_refused(night: str) -> None:
    with pytest.raises(Refused, match="is not one instant in Europe/Berlin, where clocks"):
        read({**ROW, "date": night}, "Europe/Berlin")


@pytest.mark.parametrize("name", ["Mars/Phobos", "", "03:00", "+3", "../etc/passwd"])
def test_a_zone_that_is_none(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone: use UTC, "):
        zone_named(name)
