"""The dashboards ask for what a running system tells, and Prometheus understands them."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from streams.metrics import COUNTERS, GAUGES, HISTOGRAMS
from tests.deploy.compose import ROLES, SERVICES
from tests.packages import PACKAGES
from tests.watching.promtool import INTERVAL_S, ROOT, rules, run
from tests.watching.scraping import TARGET, samples_of, series_of
from tools.grafana import boards

GRAFANA = ROOT / "deploy" / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
_SELECTOR = re.compile(r"\b((?:analyticbot|process)_\w+|up|ALERTS)\b(?:{([^}]*)})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_BY = re.compile(r"\b(?:by|on) \(([^)]*)\)")


class Selector(NamedTuple):
    metric: str
    matchers: Sequence[tuple[str, str, str]]


def selectors(expression: str) -> Iterator[Selector]:
    for metric, inside in _SELECTOR.findall(expression):
        yield Selector(metric, list(_MATCHER.findall(inside)))


def panels() -> list[dict[str, Any]]:
    shown = [panel for file in FILES for panel in json.loads(file.read_text())["panels"]]
    return [panel for panel in shown if panel["type"] != "row"]


def queries() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def asked() -> dict[str, str]:
    """Every expression, by where it stands."""
    found = {f"alert {name}": rule["expr"] for name, rule in rules().items()}
    for panel in panels():
        for target in panel["targets"]:
            found[f"panel {panel['title']}: {target['expr']}"] = target["expr"]
    return found


@pytest.fixture(scope="session")
def exported(scrapes: Sequence[str]) -> dict[str, set[str]]:
    """Names of metrics, as scraped, to the names of their labels."""
    found: dict[str, set[str]] = {"up": set(TARGET), "ALERTS": {"alertstate"}}
    for text in scrapes:
        for name, labels, _ in samples_of(text):
            found.setdefault(name, set()).update(labels, TARGET)
    # A healthy demo fails at nothing: what these would say is declared.
    for name, meaning in COUNTERS.items():
        found.setdefault(name, {*meaning.labels, *TARGET})
    return found


def test_the_files_are_those_that_are_generated() -> None:
    assert {str(file.relative_to(ROOT)): file.read_text() for file in FILES} == boards.files()


def test_a_healthy_demo_tells_nearly_everything(scrapes: Sequence[str]) -> None:
    told = {name for name, *_ in samples_of(scrapes[-1])}
    missing = {name for name in (*COUNTERS, *GAUGES) if name not in told} | {
        name for name in HISTOGRAMS if f"{name}_count" not in told
    }
    assert missing <= {"analyticbot_dropped_total", "analyticbot_errors_total"}


@pytest.mark.parametrize("place", asked())
def test_what_is_asked_for_is_exported_with_these_labels(
    place: str, exported: dict[str, set[str]]
) -> None:
    expression = asked()[place]
    found = list(selectors(expression))
    assert found
    labels: set[str] = set()
    for metric, matchers in found:
        assert metric in exported
        assert {label for label, _, _ in matchers} <= exported[metric]
        labels |= exported[metric]
    for group in filter(None, _BY.findall(expression)):
        assert set(group.split(", ")) <= labels


@pytest.mark.parametrize("place", asked())
def test_what_is_matched_is_something_that_is_counted(place: str, sources: str) -> None:
    for _, matchers in selectors(asked()[place]):
        for label, _, value in matchers:
            for one in value.split("|") if label not in TARGET else ():
                # streams.retry makes the kind of what is unavailable.
                said = one.removesuffix("_unavailable")
                assert f'"{said}"' in sources or f"class {one}(" in sources, one


@pytest.fixture(scope="session")
def sources() -> str:
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return "\n".join(path.read_text() for path in paths) + '"firing"'


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    recorded = [{"record": f"panel_{n}", "expr": query} for n, query in enumerate(queries())]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": recorded}]}))
    run("check", "rules", str(file))


def test_every_query_shows_something_where_there_is_something(
    scrapes: Sequence[str], tmp_path: Path
) -> None:
    """On the series of the demo: those that match it give an answer."""
    # What is told before the minute that is asked about.
    told = [(name, {**labels, **TARGET}) for name, labels, _ in samples_of(scrapes[5])]
    wanted = [query for query in queries() if all(_is_told(s, told) for s in selectors(query))]
    assert len(wanted) > len(queries()) / 2
    tests = [
        {"expr": f"count({query}) > bool 0", "eval_time": "4m", "exp_samples": [{"value": 1}]}
        for query in wanted
    ]
    series = series_of(scrapes)
    shown = {
        "interval": f"{INTERVAL_S}s",
        "input_series": [{"series": s, "values": values} for s, values in series.items()],
        "promql_expr_test": tests,
    }
    file = tmp_path / "shown.yml"
    file.write_text(json.dumps({"evaluation_interval": f"{INTERVAL_S}s", "tests": [shown]}))
    run("test", "rules", str(file))


def _is_told(selector: Selector, told: Sequence[tuple[str, dict[str, str]]]) -> bool:
    return any(
        name == selector.metric and all(_matches(labels, *m) for m in selector.matchers)
        for name, labels in told
    )


def _matches(labels: dict[str, str], label: str, how: str, value: str) -> bool:
    is_so = re.fullmatch(value, labels.get(label, "")) is not None
    return is_so if how in ("=", "=~") else not is_so


def test_every_metric_is_shown_somewhere() -> None:
    shown = " ".join(queries())
    assert all(name in shown for name in (*COUNTERS, *GAUGES, *HISTOGRAMS))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
class TestDashboard:
    def test_says_what_each_panel_shows(self, file: Path) -> None:
        board = json.loads(file.read_text())
        assert board["uid"] == file.stem
        assert "analyticbot" in board["tags"]
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids))
        for panel in board["panels"]:
            if panel["type"] != "row":
                assert panel["title"]
                assert panel["description"].endswith(".")
                assert panel["targets"]

    def test_is_laid_out_without_overlaps(self, file: Path) -> None:
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(file.read_text())["panels"]:
            at = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert max(x for x, _ in cells) < 24
            assert not cells & taken
            taken |= cells

    def test_names_the_labels_that_its_queries_keep(self, file: Path) -> None:
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", []):
                shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                kept = {
                    label for group in _BY.findall(target["expr"]) for label in group.split(", ")
                }
                assert shown <= (kept or set(TARGET))


def test_prometheus_watches_all_of_ours() -> None:
    (job,) = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert set(found["names"]) == set(ROLES)
    assert found["port"] == 8000
    assert job["job_name"] == TARGET["job"]
    secret = job["authorization"]["credentials_file"]
    assert Path(secret).name in SERVICES["prometheus"]["secrets"]


def test_prometheus_is_given_the_alerts() -> None:
    (file,) = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())["rule_files"]
    assert f"./deploy/prometheus/alerts.yml:{file}:ro" in SERVICES["prometheus"]["volumes"]


def test_grafana_asks_the_prometheus_that_there_is() -> None:
    provisioning = GRAFANA / "provisioning"
    source = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())
    provider = yaml.safe_load((provisioning / "dashboards/analyticbot.yml").read_text())
    (prometheus,) = source["datasources"]
    host, port = prometheus["url"].removeprefix("http://").split(":")
    assert host in SERVICES
    assert port == "9090"
    folder = provider["providers"][0]["options"]["path"]
    assert f"./deploy/grafana/dashboards:{folder}:ro" in SERVICES["grafana"]["volumes"]
    for panel in panels():
        assert panel["datasource"]["uid"] == prometheus["uid"]
