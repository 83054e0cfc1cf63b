"""What must hold for every pod of ours, whoever made its manifest."""

from collections.abc import Iterable, Mapping
from typing import Any

from analyticbot.cli import COMMANDS
from analyticbot.config import OPTIONS, read_settings
from api.operation import ROUTES
from tests.deploy.compose import ROOT
from tests.deploy.secrets import NEEDED, SECRET
from tests.deploy.test_compose import STOP_S
from tools.charts import Manifest, pod_of

WORKLOADS = ("Deployment", "StatefulSet", "Job")
_KNOWN = {option.variable for option in OPTIONS}
#: Made up, of the form that the option wants.
_SAMPLES = {
    "ANALYTICBOT_API_KEY": "a-key-of-our-own",
    "ANALYTICBOT_HISTORY": "clickhouse://analyticbot:secret@clickhouse:8123/analyticbot",
    "ANALYTICBOT_CONTROL": "postgresql://analyticbot:secret@postgres:5432/analyticbot",
    "ANALYTICBOT_SECRET_KEY": "0123456789abcdef" * 4,
}


def workloads(manifests: Iterable[Manifest]) -> Mapping[str, Manifest]:
    """By role."""
    return {
        one["metadata"]["labels"]["app.kubernetes.io/component"]: one
        for one in manifests
        if one["kind"] in WORKLOADS
    }


def check_pod(role: str, workload: Manifest, options: Mapping[str, str]) -> None:
    """`options` come from elsewhere (a ConfigMap): those of the container are added to them."""
    pod = pod_of(workload)
    (container,) = pod["containers"]
    assert container["args"] == [role]
    assert role in COMMANDS
    _check_rights(pod, container)
    _check_volumes(pod, container)
    _check_options(role, pod, options)
    assert pod["terminationGracePeriodSeconds"] > STOP_S
    if workload["kind"] != "Job":
        _check_probes(container)
        _check_selected(workload)


def _check_rights(pod: Manifest, container: Manifest) -> None:
    """As in docker-compose.yml, and as the image has it."""
    assert pod["securityContext"]["runAsNonRoot"] is True
    user = f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    assert f"USER {user}\n" in (ROOT / "Dockerfile").read_text()
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]) == {"requests", "limits"}
    assert "memory" in container["resources"]["limits"]


def _check_volumes(pod: Manifest, container: Manifest) -> None:
    mounted = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert {mounted["data"], mounted["tmp"]} == {"/var/lib/analyticbot", "/tmp"}
    volumes = {one["name"] for one in pod["volumes"]}
    assert set(mounted) - volumes <= {"data"}
    assert volumes <= set(mounted)


def _check_options(role: str, pod: Manifest, options: Mapping[str, str]) -> None:
    """They are options, they are accepted together, and what is secret stays in files."""
    (container,) = pod["containers"]
    names = [one["name"] for one in container["env"]]
    assert len(set(names)) == len(names)
    plain = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    taken = {one["name"]: one["valueFrom"] for one in container["env"] if "valueFrom" in one}
    own_name = {"ANALYTICBOT_INSTANCE": {"fieldRef": {"fieldPath": "metadata.name"}}}
    assert taken == ({} if role == "migrate" else own_name)
    files = {name.removesuffix("_FILE"): path for name, path in plain.items() if "_FILE" in name}
    given = {**options} | {name: value for name, value in plain.items() if "_FILE" not in name}
    assert set(given) | set(files) <= _KNOWN
    assert not set(given) & SECRET
    assert set(files) - {"ANALYTICBOT_LOG_PASSWORD"} == NEEDED[role]
    assert {path.rpartition("/")[2] for path in files.values()} == _keys(pod)
    secrets = {name: _SAMPLES.get(name, "42") for name in files}
    settings = read_settings({**given, **secrets, "ANALYTICBOT_INSTANCE": "work-0"}, ROOT / "docs")
    assert settings.log.startswith("kafka://")
    assert settings.host == ("127.0.0.1" if role == "migrate" else "0.0.0.0")


def _keys(pod: Manifest) -> set[str]:
    """Of the Secret, those that the container sees."""
    (secrets,) = (one["secret"] for one in pod["volumes"] if one["name"] == "secrets")
    assert all(item["key"] == item["path"] for item in secrets["items"])
    return {item["key"] for item in secrets["items"]}


def _check_probes(container: Manifest) -> None:
    paths = {path for route in ROUTES for path in route.paths}
    asked = {kind: container[f"{kind}Probe"]["exec"]["command"] for kind in _PROBES}
    for kind, command in asked.items():
        assert command[:2] == ["python", "-I"]
        assert f"COPY deploy/healthy.py {command[2]}\n" in (ROOT / "Dockerfile").read_text()
        assert command[3] == _PROBES[kind]
        assert command[3] in paths
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 300
    ports = [port["containerPort"] for port in container["ports"]]
    assert ports == [8000]


_PROBES = {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}


def _check_selected(workload: Manifest) -> None:
    assert selects(workload["spec"]["selector"], workload)


def selects(selector: dict[str, Any], workload: Manifest) -> bool:
    """Whether a selector finds the pods of a workload."""
    labels = workload["spec"]["template"]["metadata"]["labels"]
    wanted = selector.get("matchLabels", selector)
    return all(labels.get(name) == value for name, value in wanted.items())
