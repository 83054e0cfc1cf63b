"""The form of docker-compose.yml. No container is started here: that needs a Docker daemon."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from analyticbot.cli import COMMANDS
from analyticbot.config import OPTIONS, read_settings
from tests.deploy.compose import (
    COMPOSE,
    EXAMPLE,
    OURS,
    ROLES,
    ROOT,
    SERVICES,
    TEXT,
    VARIABLE,
    filled,
)
from tests.deploy.secrets import NEEDED, SECRET
from tools import programs

#: How long a role may take to stop (DESIGN: a graceful stop in 20 s).
STOP_S = 20


@pytest.mark.parametrize("name", SERVICES)
class TestService:
    def test_has_a_pinned_image_that_is_ours_or_made_here(self, name: str) -> None:
        image = SERVICES[name]["image"]
        _, _, tag = image.partition(":")
        assert re.fullmatch(r"v?[0-9][0-9a-z.-]*", tag), f"{image}: no version"

    def test_is_watched_and_started_again_unless_it_ends_by_itself(self, name: str) -> None:
        service = SERVICES[name]
        if name == "migrate":
            assert service["restart"] == "no"
            assert service["healthcheck"] == {"disable": True}
            return
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
        assert set(service["healthcheck"]) == {
            "test", "interval", "timeout", "retries", "start_period",
        }  # fmt: skip

    def test_is_reachable_from_this_machine_only(self, name: str) -> None:
        for port in SERVICES[name].get("ports", []):
            assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)

    def test_what_it_mounts_is_there(self, name: str) -> None:
        for volume in SERVICES[name].get("volumes", []):
            source, _, target = volume.partition(":")
            if source.startswith("."):
                assert (ROOT / source).exists()
                assert volume.endswith(":ro")
            elif target:
                assert source in COMPOSE["volumes"]

    def test_waits_for_what_is_healthy_or_has_ended_well(self, name: str) -> None:
        for other, condition in SERVICES[name].get("depends_on", {}).items():
            ends = other == "migrate"
            awaited = "service_completed_successfully" if ends else "service_healthy"
            assert condition == {"condition": awaited}
            needed = set(SERVICES[other].get("profiles", []))
            # The bot is added to a cluster.
            own = {{"bot": "cluster"}.get(one, one) for one in SERVICES[name].get("profiles", [])}
            assert not needed or needed >= own

    def test_its_secrets_come_from_outside(self, name: str) -> None:
        for variable, value in SERVICES[name].get("environment", {}).items():
            is_secret = any(word in variable for word in ("PASSWORD", "TOKEN", "HASH", "API_ID"))
            assert not is_secret or VARIABLE.fullmatch(value), f"{variable} stands in the file"
        assert set(SERVICES[name].get("secrets", [])) <= set(COMPOSE["secrets"])

    def test_replicas_share_neither_port_nor_volume(self, name: str) -> None:
        service = SERVICES[name]
        if service.get("deploy", {}).get("replicas", 1) > 1:
            assert "ports" not in service
            assert all(":" not in volume for volume in service.get("volumes", []))


@pytest.mark.parametrize("name", OURS)
class TestOurService:
    def test_runs_one_command_and_may_do_little(self, name: str) -> None:
        service = OURS[name]
        (command,) = service["command"]
        assert command in COMMANDS
        assert command == {"one": "up"}.get(name, name)
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]

    def test_has_somewhere_to_write(self, name: str) -> None:
        places = [*OURS[name].get("volumes", []), *OURS[name]["tmpfs"]]
        assert any("/var/lib/analyticbot" in place for place in places)
        assert "/tmp" in places

    def test_is_given_the_time_to_stop(self, name: str) -> None:
        assert int(OURS[name]["stop_grace_period"].removesuffix("s")) > STOP_S

    def test_options_are_known_and_accepted(self, name: str, tmp_path: Path) -> None:
        known = {option.variable for option in OPTIONS}
        known |= {f"{variable}_FILE" for variable in known}
        assert set(OURS[name]["environment"]) <= known
        environment = filled(OURS[name])
        for variable, value in {
            "API_KEY": "a-key-of-our-own",
            "SECRET_KEY": "0123456789abcdef" * 4,
        }.items():
            secret = tmp_path / variable
            secret.write_text(value)
            environment[f"ANALYTICBOT_{variable}_FILE"] = str(secret)
        settings = read_settings(environment, tmp_path)
        assert (settings.host, settings.port) == (
            "127.0.0.1" if name == "migrate" else "0.0.0.0",
            8000,
        )
        assert settings.log.startswith("embedded:" if name == "one" else "kafka:")


def test_every_role_of_a_cluster_waits_until_topics_and_schemas_are_made() -> None:
    assert set(ROLES) == {"one", "collect", "work", "serve", "bot"}
    assert all("migrate" in ROLES[name]["depends_on"] for name in set(ROLES) - {"one"})


def test_a_role_is_told_what_it_opens_and_no_more() -> None:
    """As on Kubernetes; the passwords are in the addresses."""
    for role, needed in NEEDED.items():
        secret = {name.removesuffix("_FILE") for name in OURS[role]["environment"]} & SECRET
        assert secret == needed


def test_workers_keep_their_tables() -> None:
    assert ROLES["work"]["volumes"] == ["/var/lib/analyticbot"]
    assert ROLES["work"]["deploy"]["replicas"] == 2


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
    asked = {found[0] for found in VARIABLE.findall(TEXT)}
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


def test_the_commands_in_its_head_name_what_there_is() -> None:
    head = TEXT.split("\nname:")[0]
    commands = re.findall(r"docker compose --profile (\w+) (.+)", head)
    assert len(commands) == 6
    for profile, rest in commands:
        assert any(profile in service.get("profiles", []) for service in OURS.values())
        if found := re.fullmatch(r"run --rm (\w+) (\w+)", rest):
            assert OURS[found[1]]["profiles"] == [profile]
            assert found[2] in COMMANDS
        for service in re.findall(r"--scale (\w+)=", rest):
            assert OURS[service]["deploy"]["replicas"] > 1


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("helm")
@pytest.mark.parametrize("profile", ["one", "cluster", "cluster,bot"])
def test_compose_itself_takes_it(profile: str) -> None:
    """By the library that Docker Compose reads its files with."""
    secrets = {name: value or "42" for name, value in EXAMPLE.items()}
    command = [str(programs.manifests()), "compose", str(ROOT / "docker-compose.yml"), profile]
    done = subprocess.run(command, env=secrets, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    project = json.loads(done.stdout)
    ours = {name for name, one in OURS.items() if one["profiles"][0] in profile.split(",")}
    always = {name for name, service in SERVICES.items() if "profiles" not in service}
    kafka = set() if profile == "one" else {"kafka"}
    assert set(project["services"]) == ours | always | kafka
    for name in ours:
        assert project["services"][name]["environment"] == filled(OURS[name])
