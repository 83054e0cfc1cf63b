"""History URLs: what they mean, and what is said of wrong ones."""

import pytest

from clickhouse.opening import WrongHistoryUrl, check_history_url, open_history


@pytest.mark.parametrize(
    "url",
    [
        "chdb:///var/lib/analyticbot/history",
        "chdb:///data?database=other",
        "clickhouse://localhost",
        "clickhouse://user:pass%40word@db.example:8123/analytics",
        "clickhouses://db.example",
    ],
)
def test_urls_that_are_right(url: str) -> None:
    check_history_url(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "begins with ''"),
        ("postgresql://host/db", "begins with 'postgresql'"),
        ("chdb://folder", "name a folder"),
        ("chdb:///", "name a folder"),
        ("chdb:///data?tabel=x", "unknown option: tabel"),
        ("chdb:///data?database=a;b", "'a;b'"),
        ("clickhouse:///db", "name a host"),
        ("clickhouse://user:secret@host:99999/db", "cannot be read"),
        ("clickhouse://user:secret@host/a`b", "'a`b'"),
    ],
)
async def test_urls_that_are_wrong(url: str, said: str) -> None:
    with pytest.raises(WrongHistoryUrl) as refused:
        await open_history(url)
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
