"""What watches the system: that it asks for what there is."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from streams import metrics
from tests.deploy.compose import ROLES, ROOT, SERVICES

_METRIC = re.compile(r"\banalyticbot_[a-z_]+")
_GRAFANA = ROOT / "deploy" / "grafana"


def test_prometheus_watches_all_of_ours() -> None:
    (job,) = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert set(found["names"]) == set(ROLES)
    assert found["port"] == 8000
    secret = job["authorization"]["credentials_file"]
    assert Path(secret).name in SERVICES["prometheus"]["secrets"]


def test_grafana_asks_the_prometheus_that_there_is() -> None:
    provisioning = _GRAFANA / "provisioning"
    source = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())
    provider = yaml.safe_load((provisioning / "dashboards/analyticbot.yml").read_text())
    (prometheus,) = source["datasources"]
    host, port = prometheus["url"].removeprefix("http://").split(":")
    assert host in SERVICES
    assert port == "9090"
    folder = provider["providers"][0]["options"]["path"]
    assert f"./deploy/grafana/dashboards:{folder}:ro" in SERVICES["grafana"]["volumes"]
    for panel in _panels():
        assert panel["datasource"]["uid"] == prometheus["uid"]


@pytest.mark.parametrize("panel", range(8))
def test_grafana_asks_for_metrics_that_exist(panel: int) -> None:
    known = {*get_args(metrics.CounterName), *get_args(metrics.GaugeName)}
    for name in get_args(metrics.HistogramName):
        known |= {f"{name}_bucket", f"{name}_count", f"{name}_sum"}
    labels = {"stage", "reason", "kind", "le", "role"}
    for target in _panels()[panel]["targets"]:
        expression = target["expr"]
        assert set(_METRIC.findall(expression)) <= known
        for group in re.findall(r"by \(([^)]*)\)", expression):
            assert set(group.split(", ")) <= labels
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels


def test_grafana_shows_every_metric_that_there_is() -> None:
    asked = " ".join(target["expr"] for panel in _panels() for target in panel["targets"])
    every = (metrics.CounterName, metrics.GaugeName, metrics.HistogramName)
    assert all(name in asked for names in every for name in get_args(names))
    assert len(_panels()) == 8


def _panels() -> list[dict[str, Any]]:
    (path,) = (_GRAFANA / "dashboards").glob("*.json")
    panels: list[dict[str, Any]] = json.loads(path.read_text())["panels"]
    return panels
