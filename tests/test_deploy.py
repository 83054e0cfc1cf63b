"""The form of what runs on servers. No container is started here: that needs a Docker daemon."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from analyticbot.cli import COMMANDS
from analyticbot.config import OPTIONS, ConfigError, read_settings
from api.settings import Settings
from streams import metrics
from tests.api.reading import FixedReader
from tests.api.serving import Serving, open_log

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)
#: DESIGN: one process, or one role each.
ROLES = {"up", "collect", "work", "serve", "bot"}
#: Not there yet; when they are, this set is empty and the comment in docker-compose.yml goes.
PLANNED = {"collect", "work", "serve", "bot"}

_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::[-?]([^}]*))?\}")
_METRIC = re.compile(r"\banalyticbot_[a-z_]+")
_GRAFANA = ROOT / "deploy" / "grafana"


@pytest.mark.parametrize("name", SERVICES)
class TestService:
    def test_has_a_pinned_image_that_is_ours_or_made_here(self, name: str) -> None:
        image = SERVICES[name]["image"]
        _, _, tag = image.partition(":")
        assert re.fullmatch(r"v?[0-9][0-9a-z.-]*", tag), f"{image}: no version"

    def test_is_watched_and_started_again(self, name: str) -> None:
        service = SERVICES[name]
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
        assert set(service["healthcheck"]) == {
            "test", "interval", "timeout", "retries", "start_period",
        }  # fmt: skip

    def test_is_reachable_from_this_machine_only(self, name: str) -> None:
        for port in SERVICES[name].get("ports", []):
            assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)

    def test_what_it_mounts_and_waits_for_is_there(self, name: str) -> None:
        for volume in SERVICES[name].get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists()
                assert volume.endswith(":ro")
            else:
                assert source in COMPOSE["volumes"]
        for other, condition in SERVICES[name].get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            needed = set(SERVICES[other].get("profiles", []))
            assert not needed or needed >= set(SERVICES[name]["profiles"])

    def test_its_secrets_come_from_outside(self, name: str) -> None:
        for variable, value in SERVICES[name].get("environment", {}).items():
            is_secret = any(word in variable for word in ("PASSWORD", "TOKEN", "HASH", "API_ID"))
            assert not is_secret or _VARIABLE.fullmatch(value), f"{variable} stands in the file"
        assert set(SERVICES[name].get("secrets", [])) <= set(COMPOSE["secrets"])


def test_published_ports_do_not_clash() -> None:
    for profile in ("one", "cluster"):
        running = [
            service
            for service in SERVICES.values()
            if profile in service.get("profiles", [profile])
        ]
        ports = [port for service in running for port in service.get("ports", [])]
        assert len(ports) == len(set(ports))


def test_every_volume_is_used() -> None:
    used = {v.split(":")[0] for each in SERVICES.values() for v in each.get("volumes", [])}
    assert set(COMPOSE["volumes"]) <= used


def test_the_example_names_exactly_what_is_asked_for() -> None:
    asked = {found[0] for found in _VARIABLE.findall((ROOT / "docker-compose.yml").read_text())}
    asked |= {secret["environment"] for secret in COMPOSE["secrets"].values()}
    assert set(EXAMPLE) == asked


def test_the_example_holds_no_secret() -> None:
    assert {name for name, value in EXAMPLE.items() if value} == {"ANALYTICBOT_PUBLIC_URL"}


def test_env_is_not_committed_by_accident() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert ".env" in ignored
    shipped = (ROOT / ".dockerignore").read_text().splitlines()
    assert shipped[1] == "*"
    assert not any(line.startswith("!.") for line in shipped)


@pytest.mark.parametrize("name", OURS)
class TestOurService:
    def test_runs_one_role_and_may_do_little(self, name: str) -> None:
        service = OURS[name]
        assert len(service["command"]) == 1
        assert service["command"][0] in ROLES
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]

    def test_has_somewhere_to_write(self, name: str) -> None:
        places = [*OURS[name].get("volumes", []), *OURS[name]["tmpfs"]]
        assert any("/var/lib/analyticbot" in place for place in places)
        assert "/tmp" in places

    def test_options_are_known(self, name: str) -> None:
        known = {option.variable for option in OPTIONS}
        known |= {f"{variable}_FILE" for variable in known}
        assert set(OURS[name]["environment"]) <= known

    def test_what_does_not_run_yet_is_in_the_planned_profile(
        self, name: str, tmp_path: Path
    ) -> None:
        """Who runs `--profile one` gets settings that are accepted and a command that exists."""
        service, runs = OURS[name], _is_accepted(name, tmp_path)
        planned = service["command"][0] in PLANNED
        assert service["profiles"] == (["cluster"] if planned else ["one"])
        assert planned or runs
        assert planned or service["command"][0] in COMMANDS


def _is_accepted(name: str, folder: Path) -> bool:
    secret = folder / "api_key"
    secret.write_text("key")
    filled = EXAMPLE | dict.fromkeys((key for key, value in EXAMPLE.items() if not value), "42")
    environment = {
        variable: _VARIABLE.sub(lambda found: filled[found[1]], value)
        for variable, value in OURS[name]["environment"].items()
    }
    environment["ANALYTICBOT_API_KEY_FILE"] = str(secret)
    try:
        settings = read_settings(environment, folder)
    except ConfigError:
        return False
    return settings.api_key == "key" and settings.port == 8000


def test_the_planned_profile_is_said_to_be_planned() -> None:
    head = (ROOT / "docker-compose.yml").read_text().split("\nname:")[0]
    assert not PLANNED & set(COMMANDS), "these run by now: tell so in docker-compose.yml"
    assert "next milestone" in head
    assert "do not exist yet" in head


def dockerfile() -> list[tuple[str, str]]:
    """Instructions and their arguments; continued lines are one."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1].strip()) for line in lines]


def test_dockerfile_has_known_instructions_only() -> None:
    known = {
        "FROM", "RUN", "COPY", "ENV", "WORKDIR", "VOLUME", "USER", "EXPOSE", "STOPSIGNAL",
        "HEALTHCHECK", "ENTRYPOINT", "CMD",
    }  # fmt: skip
    assert {name for name, _ in dockerfile()} <= known


def test_dockerfile_stages() -> None:
    """Pinned bases, stages that exist, and a last one that builds nothing and is not root."""
    stages: list[str] = []
    for name, arguments in dockerfile():
        if name == "FROM":
            base, _, stage = arguments.partition(" AS ")
            assert base in stages or re.fullmatch(r"python:3\.1[123]-slim-[a-z]+", base)
            stages.append(stage)
        for source in re.findall(r"--from=(\S+)", arguments):
            assert source in stages
    last = dockerfile()[-[name for name, _ in dockerfile()][::-1].index("FROM") - 1 :]
    assert stages[-1] == "run"
    assert ("USER", "10001:10001") in last
    assert not any("pip" in arguments for name, arguments in last if name == "RUN")


def test_dockerfile_copies_what_is_there() -> None:
    for name, arguments in dockerfile():
        if name == "COPY" and "--from" not in arguments:
            for source in arguments.split()[:-1]:
                assert (ROOT / source).exists()


def test_dockerfile_installs_only_what_is_pinned_by_hash() -> None:
    runs = [part for name, line in dockerfile() if name == "RUN" for part in line.split("&&")]
    for install in (part for part in runs if re.search(r"pip (install|wheel)", part)):
        assert "--require-hashes" in install or "--no-deps" in install


def test_dockerfile_starts_the_program_itself() -> None:
    instructions = dict(dockerfile())
    assert json.loads(instructions["ENTRYPOINT"]) == ["analyticbot"]
    assert json.loads(instructions["CMD"])[0] in COMMANDS
    assert instructions["STOPSIGNAL"] == "SIGTERM"
    test = COMPOSE["x-analyticbot"]["healthcheck"]["test"][1:]
    assert json.loads(instructions["HEALTHCHECK"].partition("CMD ")[2]) == test


def test_the_builder_gets_every_package() -> None:
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if "!" in line
    }
    packages = {path.parent.name for path in ROOT.glob("*/py.typed")}
    needed = packages | {
        "dashboard",
        "hatch_build.py",
        "pyproject.toml",
        "requirements",
        "README.md",
    }
    assert needed <= allowed
    assert all((ROOT / name).exists() for name in allowed)


def test_prometheus_watches_all_of_ours() -> None:
    (job,) = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert set(found["names"]) == set(OURS)
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


def _healthy(port: int, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    check = [sys.executable, str(ROOT / "deploy/healthy.py")]
    environment = {"ANALYTICBOT_PORT": str(port), **environment}
    return subprocess.run(check, env=environment, capture_output=True, text=True, check=False)


def test_a_container_that_does_not_answer_is_not_healthy() -> None:
    done = _healthy(1, {"ANALYTICBOT_API_KEY": "key"})
    assert done.returncode == 1
    assert "refused" in done.stderr


async def test_a_container_that_answers_is_healthy_for_who_has_the_key(tmp_path: Path) -> None:
    (tmp_path / "api_key").write_text("key\n")
    log = await open_log(tmp_path / "log")
    async with Serving(log, FixedReader(), Settings(port=0, api_key="key")) as serving:
        port = serving.server.port
        right = {"ANALYTICBOT_API_KEY_FILE": str(tmp_path / "api_key")}
        assert (await asyncio.to_thread(_healthy, port, right)).returncode == 0
        assert (await asyncio.to_thread(_healthy, port, {})).returncode == 1
    await log.close()
