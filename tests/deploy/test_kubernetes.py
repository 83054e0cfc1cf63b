"""The manifests for people without Helm: made from the chart, and built by a kustomization."""

import subprocess
from pathlib import Path

import pytest

from analyticbot.config import read_settings
from tests.deploy.pods import check_pod, selects, workloads
from tools import manifests as making
from tools import programs
from tools.charts import Manifest, objects, pod_of, rendered

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("helm")]


def built(folder: Path = making.FOLDER) -> str:
    command = [str(programs.manifests()), "build", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def options_of(manifests: list[Manifest]) -> dict[str, str]:
    (config,) = (one for one in manifests if one["kind"] == "ConfigMap")
    data: dict[str, str] = config["data"]
    return data


def test_they_are_what_the_chart_makes() -> None:
    assert making.stale() == []


def test_kubernetes_knows_every_field() -> None:
    command = [str(programs.manifests()), "check"]
    done = subprocess.run(command, input=built(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "foreign" not in done.stdout


def test_every_pod_is_as_the_chart_has_it() -> None:
    ours, charts = objects(built()), workloads(objects(rendered()))
    found = workloads(ours)
    assert set(found) == set(charts)
    for role, workload in found.items():
        check_pod(role, workload, options_of(ours))
        assert workload["spec"].get("replicas") == charts[role]["spec"].get("replicas")
        for field in ("securityContext", "terminationGracePeriodSeconds"):
            assert pod_of(workload)[field] == pod_of(charts[role])[field]


def test_all_options_are_in_one_file() -> None:
    manifests = objects(built())
    (name,) = (one["metadata"]["name"] for one in manifests if one["kind"] == "ConfigMap")
    for workload in workloads(manifests).values():
        (container,) = pod_of(workload)["containers"]
        assert container["envFrom"] == [{"configMapRef": {"name": name}}]
    assert options_of(manifests)["ANALYTICBOT_LOG"] == "kafka://kafka:9092"


def test_services_and_budgets_find_pods() -> None:
    manifests = objects(built())
    running = workloads(manifests).values()
    pointing = [one for one in manifests if one["kind"] in ("Service", "PodDisruptionBudget")]
    assert len(pointing) == 6
    for one in pointing:
        assert any(selects(one["spec"]["selector"], workload) for workload in running)


def test_nothing_says_that_helm_made_it() -> None:
    for path in making.FOLDER.glob("*.yaml"):
        assert "helm.sh" not in path.read_text()


def test_a_kustomization_of_ones_own_changes_what_it_names(tmp_path: Path) -> None:
    """As docs/OPERATING.md shows it."""
    relative = Path("..") / making.FOLDER.name
    (tmp_path / making.FOLDER.name).symlink_to(making.FOLDER)
    own = tmp_path / "own"
    own.mkdir()
    (own / "kustomization.yaml").write_text(
        f"resources: [{relative}]\n"
        "images: [{name: analyticbot, newName: registry.example/analyticbot, newTag: 0.1.0}]\n"
        "configMapGenerator:\n"
        "  - name: analyticbot\n"
        "    namespace: analyticbot\n"
        "    behavior: merge\n"
        "    literals: [ANALYTICBOT_LOG=kafka://one:9092]\n"
    )
    manifests = objects(built(own))
    options = options_of(manifests)
    assert options["ANALYTICBOT_LOG"] == "kafka://one:9092"
    assert read_settings({**options, "ANALYTICBOT_PORT": "1"}, own).partitions == 8
    for workload in workloads(manifests).values():
        (container,) = pod_of(workload)["containers"]
        assert container["image"] == "registry.example/analyticbot:0.1.0"
