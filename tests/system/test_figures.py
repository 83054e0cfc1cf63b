"""Figures of a replayed recording as REST answers them, with what they rest on."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

pytest.importorskip("chdb", reason="history in process needs the extra `embedded`")

from tests.analyticbot.command import COMMAND, environment, run
from tests.analyticbot.role import Role
from tests.system.recorded import CHANNELS, at, record

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

#: All that was observed, and much more than that.
OBSERVED = (at(1), at(15))
WIDER = ("2016-01-01T00:00:00Z", "2036-01-01T00:00:00Z")


class Asked:
    def __init__(self, role: Role) -> None:
        self._role = role

    async def __call__(self, channel: str, route: str, *span: str, **more: str) -> Any:
        asked = dict(zip(("from", "to"), span, strict=False)) | more
        answer = await self._role.http.get(f"/api/v1/channels/{channel}/{route}", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asked]:
    folder = tmp_path_factory.mktemp("figures")
    data = folder / "data"
    done = run(data, "replay", str(record(folder / "recording")))
    assert done.returncode == 0, done.stderr
    variables = environment(data, ANALYTICBOT_PORT="0")
    role = await Role.started((COMMAND, "serve"), variables, folder / "said")
    await role.ready()
    yield Asked(role)
    await role.stop()


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_wider_range_changes_no_figure_but_its_coverage(asked: Asked, channel: str) -> None:
    narrow, wide = await asked(channel, "overview", *OBSERVED), None
    wide = await asked(channel, "overview", *WIDER)
    assert wide["data"] == narrow["data"]
    for name, figure in narrow["meta"]["evidence"].items():
        wider = wide["meta"]["evidence"][name]
        assert wider["n"] == figure["n"], name
        assert wider["coverage"] <= figure["coverage"], name


async def test_an_album_gains_once(asked: Asked) -> None:
    overview = (await asked("albumful", "overview", *OBSERVED))["data"]
    assert (overview["posts"], overview["views"], overview["views_gained"]) == (2, 1300, 300)
    views = (await asked("albumful", "views", at(10), at(12), step="1d"))["data"]["points"]
    assert [point["views_gained"] for point in views] == [100, 200]


async def test_a_rate_rests_on_posts_of_which_all_counters_are_known(asked: Asked) -> None:
    answer = await asked("halfrated", "overview", at(10), at(11))
    assert answer["data"]["er_by_views_percent"] == 20.0
    assert answer["meta"]["evidence"]["er_by_views_percent"]["n"] == 1
    assert answer["meta"]["evidence"]["er_by_views_percent"]["coverage"] == 0.5
    posts = (await asked("halfrated", "posts", at(10), at(11)))["data"]
    assert [post["er_by_views_percent"] for post in posts] == [20.0, None]


async def test_posts_without_counters_are_posts(asked: Asked) -> None:
    answer = await asked("uncounted", "overview", at(10), at(11))
    figures, evidence = answer["data"], answer["meta"]["evidence"]
    assert (figures["posts"], figures["posts_per_day"], figures["views"]) == (5, 5.0, None)
    assert evidence["posts"] == {"coverage": 1.0, "n": 5, "as_of": at(11)}
    assert evidence["views"] == {"coverage": 0.0, "n": 0, "as_of": None}
    assert answer["meta"]["coverage"] == 1.0  # of what is known


async def test_posts_of_a_time_that_nobody_read_are_unknown(asked: Asked) -> None:
    for span in ((at(5), at(6)), ("2030-01-01T00:00:00Z", "2030-01-02T00:00:00Z")):
        answer = await asked("uncounted", "overview", *span)
        assert set(answer["data"].values()) == {None}
        assert answer["meta"]["coverage"] == 0.0
        [point] = (await asked("uncounted", "views", *span, step="1d"))["data"]["points"]
        assert (point["posts"], point["views_gained"], point["coverage"]) == (None, None, 0.0)


async def test_posts_a_day_are_of_the_days_that_were_read(asked: Asked) -> None:
    """Two a day; the last of six came at 18:00 of the third day, and then nobody looked."""
    for span in (OBSERVED, WIDER, (at(10), at(13))):
        answer = await asked("steady", "overview", *span)
        assert answer["data"]["posts"] == 6
        assert answer["data"]["posts_per_day"] == pytest.approx(6 / 2.75)
    assert answer["meta"]["evidence"]["posts"]["coverage"] == pytest.approx(2.75 / 3)


async def test_half_a_view_is_half_a_view(asked: Asked) -> None:
    answer = await asked("smallviews", "overview", at(10), at(11))
    assert answer["data"]["reach_1h"] == 0.5
    assert answer["meta"]["evidence"]["reach_1h"]["n"] == 4
    assert answer["data"]["reach_12h"] is None


async def test_reach_is_shown_at_the_ages_that_rest_on_most(asked: Asked) -> None:
    """Sampled every two hours, no post is known at 1 h; an old post alone is known at 48 h."""
    answer = await asked("sparse", "overview", *OBSERVED)
    figures, evidence = answer["data"], answer["meta"]["evidence"]
    assert (figures["reach_12h"], figures["reach_24h"]) == (120.0, 240.0)
    assert (evidence["reach_12h"]["n"], evidence["reach_24h"]["n"]) == (3, 3)
    assert (figures["reach_1h"], figures["reach_48h"]) == (None, None)
    alone = await asked("sparse", "overview", at(9), at(10))
    assert alone["data"]["reach_48h"] == 480.0


async def test_gains_are_covered_by_the_time_between_samplings(asked: Asked) -> None:
    """Sampled from noon to noon."""
    for span, share in (((at(10), at(12)), 0.5), ((at(10, 6), at(10, 18)), 0.5)):
        answer = await asked("steady", "overview", *span)
        assert answer["meta"]["evidence"]["views_gained"]["coverage"] == share
    answer = await asked("steady", "views", at(10), at(12), step="6h")
    points = answer["data"]["points"]
    assert [p["coverage"] for p in points] == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    gained = [p["views_gained"] for p in points]
    assert gained == [None, None, 710, 720, 720, 720, 10, None]
    assert answer["meta"]["evidence"]["views_gained"]["coverage"] == 0.5


async def test_a_change_is_counted_from_the_number_before(asked: Asked) -> None:
    answer = await asked("steady", "overview", at(11), at(12))
    assert answer["data"]["subscribers_change"] == 4
    assert answer["meta"]["evidence"]["subscribers_change"]["coverage"] == 0.75
    whole = await asked("steady", "overview", *OBSERVED)
    assert whole["data"]["subscribers_change"] == 11
    growth = await asked("steady", "growth", at(10), at(13), step="1d")
    points = growth["data"]["points"]
    assert [p["change"] for p in points] == [3, 4, 4]
    assert [p["coverage"] for p in points] == [0.75, 0.75, 0.75]
    assert growth["meta"]["evidence"]["change"]["coverage"] == 0.75


async def test_channels_say_who_observed_them(asked: Asked) -> None:
    for route in ("", "overview"):
        answer = await asked("steady", route, *(OBSERVED if route else ()))
        assert answer["meta"]["sources"] == ["recording"]
