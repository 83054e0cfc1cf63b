"""Prometheus' own tool, which says what alert rules make of series."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
INTERVAL_S = 30


def rules() -> dict[str, dict[str, Any]]:
    """Every alert rule by its name."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


class Case(NamedTuple):
    """Series, a value every INTERVAL_S, and the alerts that fire so many minutes after."""

    #: A series, as Prometheus writes it, to its values, as promtool does.
    series: Mapping[str, str]
    minutes: float
    #: The labels of each, with `alertname`; the severity is the rule's.
    alerts: Sequence[Mapping[str, str]]
    #: Only these are looked at; empty: all there are.
    about: str = ""


def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        reason = "promtool is not on this machine: it comes with Debian's package prometheus"
        if os.environ.get("ANALYTICBOT_REQUIRE_PROMTOOL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def check(cases: Sequence[Case], folder: Path) -> None:
    """Fails unless in each case exactly its alerts fire."""
    written = {
        "rule_files": [str(RULES)],
        "evaluation_interval": f"{INTERVAL_S}s",
        "tests": [_test(case) for case in cases],
    }
    file = folder / "fires.yml"
    file.write_text(json.dumps(written))
    run("test", "rules", str(file))


def run(*arguments: str) -> None:
    done = subprocess.run(
        [promtool(), *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _test(case: Case) -> dict[str, Any]:
    about = f', alertname="{case.about}"' if case.about else ""
    return {
        "interval": f"{INTERVAL_S}s",
        "input_series": [{"series": s, "values": values} for s, values in case.series.items()],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertstate="firing"{about}}}',
                "eval_time": f"{round(case.minutes * 60)}s",
                "exp_samples": [{"labels": _labels(alert), "value": 1} for alert in case.alerts],
            }
        ],
    }


def _labels(alert: Mapping[str, str]) -> str:
    severity = rules()[alert["alertname"]]["labels"]["severity"]
    labels = {"alertstate": "firing", "severity": severity, **alert}
    return "ALERTS{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
