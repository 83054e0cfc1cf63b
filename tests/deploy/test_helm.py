"""The Helm chart, rendered by Helm itself. No cluster is needed."""

import functools
import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from analyticbot.config import OPTIONS
from analyticbot.roles.work import GROUP
from streams import topics
from streams.kafka.settings import settings_of
from tests.deploy.compose import ROLES, ROOT
from tests.deploy.pods import check_pod, selects, workloads
from tools import programs
from tools.charts import CHART, ChartError, Manifest, linted, named, objects, pod_of, rendered

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("helm")]

#: What an operator may ask for, each as `--set` takes it.
ASKED: Mapping[str, tuple[str, ...]] = {
    "as it is": (),
    "no bot": ("bot.enabled=false",),
    "brokers with TLS and a user": (
        r"log.url=kafka://analytics@one:9092\,two:9092?security=tls&ca=/run/secrets/kafka/ca.pem",
        "log.password=true",
        "log.tlsSecret=kafka-tls",
    ),
    "scaling": ("work.scaling.enabled=true", "serve.scaling.enabled=true"),
    "a page in the open": (
        "serve.ingress.enabled=true",
        "serve.ingress.host=analytics.example",
        "serve.ingress.className=nginx",
        "serve.ingress.tlsSecret=page-tls",
        "publicUrl=https://analytics.example",
    ),
    "closed": (
        "networkPolicy.enabled=true",
        "networkPolicy.clients[0].podSelector.matchLabels.a=b",
    ),
    "watched": ("monitoring.enabled=true", "monitoring.dashboards=true", "monitoring.labels.a=b"),
    "placed": (
        "work.nodeSelector.disk=fast",
        "work.tolerations[0].key=analytics",
        "work.storage.className=fast",
        "image.pullSecrets[0]=registry",
        r"bot.chats=42\,-43",
        "options.ANALYTICBOT_TRACES=http://traces:4318/v1/traces",
    ),
}


@functools.cache
def text_of(name: str) -> str:
    return rendered(ASKED[name])


def made(name: str) -> list[Manifest]:
    return objects(text_of(name))


@pytest.mark.parametrize("name", ASKED)
class TestChart:
    def test_helm_has_nothing_against_it(self, name: str) -> None:
        assert "0 chart(s) failed" in linted(ASKED[name])

    def test_kubernetes_knows_every_field(self, name: str) -> None:
        command = [str(programs.manifests()), "check"]
        text = text_of(name)
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        kinds = [line.split() for line in done.stdout.splitlines()]
        assert len(kinds) == len(objects(text))
        foreign = {kind for known, kind in kinds if known == "foreign"}
        assert foreign <= {"ScaledObject", "PodMonitor", "PrometheusRule"}

    def test_every_pod_is_ours(self, name: str) -> None:
        found = workloads(made(name))
        expected = {*ROLES, "migrate"} - {"one"} - ({"bot"} if name == "no bot" else set())
        assert set(found) == expected
        for role, workload in found.items():
            check_pod(role, workload, {})

    def test_what_points_to_something_finds_it(self, name: str) -> None:
        manifests = made(name)
        known, running = named(manifests), list(workloads(manifests).values())
        for one in manifests:
            for selector in _selectors(one):
                assert any(selects(selector, workload) for workload in running), one
            if target := one["spec"].get("scaleTargetRef") if "spec" in one else None:
                assert (target["kind"], target["name"]) in known
            if one["kind"] == "StatefulSet":
                assert ("Service", one["spec"]["serviceName"]) in known

    def test_no_two_objects_have_one_name(self, name: str) -> None:
        manifests = made(name)
        assert len(named(manifests)) == len(manifests)

    def test_every_role_may_be_drained_pod_by_pod(self, name: str) -> None:
        manifests = made(name)
        budgets = [one for one in manifests if one["kind"] == "PodDisruptionBudget"]
        for role, workload in workloads(manifests).items():
            of_it = [one for one in budgets if selects(one["spec"]["selector"], workload)]
            assert len(of_it) == (role != "migrate")
            assert all(one["spec"]["maxUnavailable"] == 1 for one in of_it)


def _selectors(manifest: Manifest) -> list[dict[str, Any]]:
    spec = manifest.get("spec", {})
    match manifest["kind"]:
        case "Service" | "PodDisruptionBudget" | "PodMonitor":
            return [spec["selector"]]
        case "NetworkPolicy":
            return [spec["podSelector"]]
        case _:
            return []


def test_topics_and_schemas_are_made_before_anything_else() -> None:
    job = workloads(made("as it is"))["migrate"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure"


def test_workers_keep_their_names_and_their_tables() -> None:
    work = workloads(made("as it is"))["work"]
    assert work["kind"] == "StatefulSet"
    (claim,) = work["spec"]["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "data"


def test_workers_are_scaled_by_what_they_have_not_read() -> None:
    manifests = made("scaling")
    (scaled,) = (one for one in manifests if one["kind"] == "ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["type"] == "kafka"
    assert trigger["metadata"]["consumerGroup"] == GROUP
    assert trigger["metadata"]["topic"] == topics.UPDATES.name
    assert trigger["metadata"]["bootstrapServers"] == "kafka:9092"
    assert scaled["spec"]["maxReplicaCount"] <= _values()["log"]["partitions"]
    for role in ("work", "serve"):
        assert "replicas" not in workloads(manifests)[role]["spec"]


def test_scaling_asks_the_brokers_that_the_roles_ask() -> None:
    values = (*ASKED["brokers with TLS and a user"], *ASKED["scaling"])
    manifests = objects(rendered((*values, "work.scaling.authentication=kafka")))
    (scaled,) = (one for one in manifests if one["kind"] == "ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    (container,) = pod_of(workloads(manifests)["work"])["containers"]
    (url,) = (one["value"] for one in container["env"] if one["name"] == "ANALYTICBOT_LOG")
    assert trigger["metadata"]["bootstrapServers"].split(",") == list(settings_of(url).servers)
    assert trigger["authenticationRef"] == {"name": "kafka"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("work.scaling.maxReplicas=9", "at most log.partitions"),
        ("log.url=kafka://user:secret@kafka:9092", "log"),
        ("log.url=embedded:///data", "log"),
        ("log.url=kafka://user@kafka:9092", "log.password"),
        ("log.password=true", "log.password"),
        ("serve.replica=3", "replica"),
        ("log.partitions=0", "partitions"),
        ("options.BOT_TOKEN=secret", "BOT_TOKEN"),
        ("options.ANALYTICBOT_API_KEY=secret", "API_KEY"),
        ("options.ANALYTICBOT_LOG_LEVEL=debug", "LOG_LEVEL"),
        ("bot.chats=42000000000", "chats"),
    ],
)
def test_wrong_values_are_refused_by_name(value: str, said: str) -> None:
    with pytest.raises(ChartError, match=said):
        rendered((value, "work.scaling.enabled=true"))


def test_a_release_of_another_name_is_apart() -> None:
    ours, theirs = (named(objects(rendered(release=name))) for name in ("analyticbot", "eu"))
    assert not set(ours) & set(theirs)
    assert ("StatefulSet", "eu-analyticbot-work") in theirs


def test_the_alerts_are_those_of_the_prometheus_file() -> None:
    (rule,) = (one for one in made("watched") if one["kind"] == "PrometheusRule")
    assert rule["spec"] == yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
    assert rule["metadata"]["labels"]["a"] == "b"


def test_metrics_are_read_with_the_key_and_told_by_role() -> None:
    (monitor,) = (one for one in made("watched") if one["kind"] == "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["authorization"] == {"credentials": {"name": "analyticbot", "key": "api-key"}}
    (relabeling,) = endpoint["relabelings"]
    assert relabeling["targetLabel"] == "role"


def test_the_dashboards_are_those_of_grafana() -> None:
    (config,) = (one for one in made("watched") if one["kind"] == "ConfigMap")
    files = {path.name: path for path in (ROOT / "deploy/grafana/dashboards").glob("*.json")}
    assert set(config["data"]) == set(files)
    # etcd takes no larger object.
    assert sum(map(len, config["data"].values())) < 1 << 20
    for name, text in config["data"].items():
        assert json.loads(text) == json.loads(files[name].read_text())


def test_every_value_is_said_to_be_allowed() -> None:
    """values.schema.json knows what values.yaml has, and nothing else."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    _same_keys(_values(), schema, schema)


def _same_keys(values: Mapping[str, Any], schema: Mapping[str, Any], whole: Any) -> None:
    if "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "properties" not in schema:
        return
    assert set(values) == set(schema["properties"])
    assert schema["additionalProperties"] is False
    for name, value in values.items():
        if isinstance(value, dict):
            _same_keys(value, schema["properties"][name], whole)


def test_options_that_chart_and_program_share_have_one_default() -> None:
    defaults = {option.variable: option.default for option in OPTIONS}
    values = _values()
    assert str(values["log"]["days"]) == defaults["ANALYTICBOT_LOG_DAYS"]
    assert str(values["log"]["mebibytes"]) == defaults["ANALYTICBOT_LOG_MIB"]
    assert str(values["work"]["standbys"]) == defaults["ANALYTICBOT_STANDBYS"]
    assert str(values["work"]["tablesMebibytes"]) == defaults["ANALYTICBOT_TABLES_MIB"]
    assert values["logLevel"] == defaults["ANALYTICBOT_LOG_LEVEL"]


def _values() -> Any:
    return yaml.safe_load((CHART / "values.yaml").read_text())
