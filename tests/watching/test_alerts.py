"""Every alert says what to do, and fires when it should: Prometheus' own tool decides."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from agents.engine.reasons import DeadReason
from tests.watching.fired import FIRED, OBSERVED
from tests.watching.promtool import ROOT, RULES, Case, check, rules, run

_TEMPLATE = re.compile(r"{{[^}]*}}")


def test_the_rules_are_well_formed() -> None:
    run("check", "rules", str(RULES))


@pytest.mark.parametrize("name", rules())
class TestRule:
    def test_says_how_grave_it_is_for_how_long_and_what_to_do(self, name: str) -> None:
        rule = rules()[name]
        assert re.fullmatch(r"([A-Z][a-z]+)+", name)
        assert rule["labels"].keys() == {"severity"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert re.fullmatch(r"\d+m", rule["for"])
        assert rule["annotations"].keys() == {"summary", "action", "runbook"}
        assert rule["annotations"]["runbook"] == f"docs/OPERATING.md#alert-{name.lower()}"
        assert rule["annotations"]["action"].endswith(".")
        said = _TEMPLATE.sub("", rule["annotations"]["summary"])
        assert len(said.split()) > 3

    def test_fires(self, name: str, tmp_path: Path) -> None:
        check([_with_others(name, FIRED[name])], tmp_path)

    def test_waits_first(self, name: str, tmp_path: Path) -> None:
        """Nothing fires from the first sample on: each has its time to get well by itself."""
        case = _with_others(name, FIRED[name])
        check([case._replace(minutes=0.5, alerts=[], about=name)], tmp_path)


def _with_others(name: str, case: Case) -> Case:
    """The case where no other alert fires: accounts are observed unless it is about them."""
    kept = {} if name == "NoAccountObserves" else OBSERVED
    alerts: list[Mapping[str, str]] = [{"alertname": name, **labels} for labels in case.alerts]
    return case._replace(series={**kept, **case.series}, alerts=alerts)


def test_the_guide_says_what_to_do_of_every_alert() -> None:
    guide = (ROOT / "docs/OPERATING.md").read_text()
    assert re.findall(r"^### Alert: (\w+)$", guide, re.MULTILINE) == list(rules())


def test_every_rule_has_a_case() -> None:
    assert set(FIRED) == set(rules())


def test_dead_letters_are_counted_by_all_their_reasons() -> None:
    (reasons,) = re.findall(r'reason=~"([^"]*)"', rules()["DeadLetters"]["expr"])
    assert set(reasons.split("|")) == set(get_args(DeadReason))


def test_no_collector_at_all_is_told_too(tmp_path: Path) -> None:
    case = Case({"up": "1x10"}, 4, [{"alertname": "NoAccountObserves"}])
    check([case], tmp_path)
