"""The operator's guide: what it names exists, and what it says to run is accepted."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.history.writer import GROUP as HISTORY
from analyticbot import cli
from analyticbot.config import OPTIONS, read_settings
from analyticbot.stores import wanted_topics
from bot import alerts as bot_alerts
from collect.settings import CollectorSettings
from streams import metrics
from streams.kafka.settings import KafkaSettings, settings_of
from streams.topics import AGENTS
from streams.units import DAY_MS
from tests.deploy.compose import EXAMPLE, OURS, ROOT
from tests.deploy.conftest import helm as helm
from tools.charts import CHART, objects, rendered

GUIDE = (ROOT / "docs" / "OPERATING.md").read_text()
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
GROUPS = {AGENTS, HISTORY, bot_alerts.GROUP}
NAMES = {option.variable for option in OPTIONS}


def blocks() -> Iterator[list[list[str]]]:
    """The commands of every block, in words."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", GUIDE, re.DOTALL | re.MULTILINE):
        yield [shlex.split(line) for line in block.splitlines() if line.strip()]


COMMANDS = [words for block in blocks() for words in block]


def of(program: str) -> list[list[str]]:
    return [words for words in COMMANDS if words[0] == program]


def said(words: list[str]) -> str:
    return " ".join(words)


def values_of(words: list[str], option: str) -> list[str]:
    """What follows an option, both as `--option value` and as `--option=value`."""
    after = [words[i + 1] for i, word in enumerate(words) if word == option]
    return after + [word.split("=", 1)[1] for word in words if word.startswith(f"{option}=")]


def test_every_command_is_of_a_kind_that_is_checked_here() -> None:
    known = {"analyticbot", "docker", "export", "helm", "kubectl"}
    assert {words[0] for words in COMMANDS} == known | {"kafka-console-consumer.sh"}
    assert {words[1] for words in of("analyticbot")} >= {"migrate", "work", "replay", "rebuild"}


@pytest.mark.parametrize("words", of("analyticbot"), ids=said)
def test_the_program_takes_the_command(words: list[str]) -> None:
    assert cli._options(words[1:]).command == words[1]


@pytest.mark.parametrize("block", [one for one in blocks() if one[0][0] == "export"])
def test_what_is_set_is_accepted(block: list[list[str]], tmp_path: Path) -> None:
    given = dict(pair.split("=", 1) for words in block for pair in words[1:] if "=" in pair)
    assert {name.removesuffix("_FILE") for name in given} <= NAMES
    kept = {name.removesuffix("_FILE") for name in given if name.endswith("_FILE")}
    secrets = dict.fromkeys(kept, "0123456789abcdef" * 4)
    settings = read_settings({**given, **secrets}, tmp_path)
    if "ANALYTICBOT_LOG" in given:
        assert len(settings_of(settings.log).servers) == 3


@pytest.mark.parametrize("words", of("docker"), ids=said)
def test_compose_has_what_is_started(words: list[str]) -> None:
    (profile,) = values_of(words, "--profile")
    assert any(profile in service["profiles"] for service in OURS.values())
    if "run" in words:
        service, command = words[-2:]
        assert OURS[service]["profiles"] == [profile]
        assert command in cli.COMMANDS
    for scaled in values_of(words, "--scale"):
        assert scaled.partition("=")[0] in OURS
    assert ".env.example" in GUIDE
    assert "BOT_TOKEN" in EXAMPLE


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("helm")
@pytest.mark.parametrize("words", of("helm"), ids=said)
def test_helm_takes_the_values(words: list[str]) -> None:
    assert (ROOT / words[4]) == CHART
    assert objects(rendered(values_of(words, "--set"), release=words[3]))


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("helm")
@pytest.mark.parametrize("words", of("kubectl"), ids=said)
def test_kubernetes_has_what_is_named(words: list[str]) -> None:
    kinds = {"deploy": "Deployment", "statefulset": "StatefulSet", "job": "Job"}
    there = {(one["kind"], one["metadata"]["name"]) for one in objects(rendered())}
    for kind, name in re.findall(r"\b(deploy|statefulset|job)/([a-z-]+)", said(words)):
        assert (kinds[kind], name) in there or (ROOT / kind / name).is_dir()
    for folder in values_of(words, "--kustomize"):
        assert (ROOT / folder / "kustomization.yaml").is_file()
    if "--" in words:
        inside = words[words.index("--") + 1 :]
        assert cli._options(inside[1:]).command in cli.COMMANDS


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("helm")
def test_the_secret_has_the_keys_that_the_pods_read() -> None:
    (words,) = (words for words in of("kubectl") if "secret" in words)
    read = {
        item["key"]
        for one in objects(rendered(["log.password=true", "log.url=kafka://me@kafka:9092"]))
        if "template" in one["spec"]
        for volume in one["spec"]["template"]["spec"]["volumes"]
        for item in volume.get("secret", {}).get("items", [])
    }
    assert set(values_of(words, "--from-file")) == read


@pytest.mark.parametrize("words", [words for words in COMMANDS if "kafka-" in words[0]], ids=said)
def test_groups_and_topics_are_ours(words: list[str], tmp_path: Path) -> None:
    settings = read_settings({"ANALYTICBOT_LOG": "kafka://kafka:9092"}, tmp_path)
    assert set(values_of(words, "--group")) <= GROUPS
    assert set(values_of(words, "--topic")) <= {topic.name for topic in wanted_topics(settings)}


def test_every_option_is_one() -> None:
    named = set(re.findall(r"\b(?:ANALYTICBOT|TELEGRAM)_[A-Z_]+[A-Z]", GUIDE))
    named = {name.removesuffix("_FILE") for name in named}
    assert named <= NAMES
    assert len(named) >= 20
    for query in re.findall(r"`((?:session_ms|mechanism|security|ca)(?==)[^`]*)`", GUIDE):
        assert query.partition("=")[0] in KafkaSettings.__struct_fields__


def test_every_value_of_the_chart_is_one() -> None:
    sections = "|".join(name for name, value in VALUES.items() if isinstance(value, dict))
    named = set(re.findall(rf"(?:`|--set )((?:{sections})\.[A-Za-z.]+[A-Za-z])[`=]", GUIDE))
    for name in named:
        value: Any = VALUES
        for part in name.split("."):
            assert part in value, name
            value = value[part]
    assert len(named) > 8


def test_every_file_and_every_section_that_it_leads_to_exists() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", GUIDE):
        path, _, anchor = target.partition("#")
        assert (ROOT / "docs" / path).exists(), target
        if anchor:
            assert anchor in anchors(), target
    for path in re.findall(r"`((?:deploy|docs)/[^`]+)`", GUIDE):
        assert (ROOT / path).exists(), path


def anchors() -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_metric_is_one() -> None:
    known = {*metrics.COUNTERS, *metrics.GAUGES, *metrics.HISTOGRAMS}
    named = set(re.findall(r"\banalyticbot_[a-z_]+", GUIDE))
    assert named <= known
    assert len(named) > 4


def test_every_alert_says_what_to_do_here_and_no_other() -> None:
    groups = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    sections = re.findall(r"^### Alert: (\w+)\n\n(.+)$", GUIDE, re.MULTILINE)
    assert sorted(name for name, _ in sections) == sorted(rule["alert"] for rule in rules)
    assert all(len(text) > 60 for _, text in sections)
    for rule in rules:
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/OPERATING.md"
        assert anchor in anchors()


def test_alerts_that_are_spoken_of_exist() -> None:
    sections = set(re.findall(r"^### Alert: (\w+)", GUIDE, re.MULTILINE))
    assert set(re.findall(r"(?:alert|see|Does|does) ([A-Z][a-z]+[A-Z]\w+)", GUIDE)) <= sections


def source() -> str:
    """Of the whole program; strings that go on in the next line are whole."""
    text = "".join(
        path.read_text()
        for folder in (
            "agents",
            "analyticbot",
            "api",
            "bot",
            "clickhouse",
            "collect",
            "control",
            "loopback",
            "streams",
        )
        for path in sorted((ROOT / folder).rglob("*.py"))
    )
    return re.sub(r'"\s*\n\s*f?"', "", text)


TROUBLES = re.findall(
    r"^\| `([^`]+)` \|", GUIDE.split("## Troubleshooting")[1].split("\n\n")[1], re.MULTILINE
)


def test_messages_are_told_as_the_program_says_them() -> None:
    joined = source()
    assert len(TROUBLES) > 10
    for message in TROUBLES:
        for part in re.split(r"…|`", message):
            assert part.strip() in joined, message


def test_every_word_of_damage_or_loss_says_what_to_do_here() -> None:
    """What is logged, and what ends a process; the damage of rows is told within the log's line."""
    of = "history|changelog|torn|lines"
    how = "damaged|behind|gap|ahead|shorter|begins|cut|skipped"
    events = set(re.findall(rf'"((?:{of})_(?:\w+_)?(?:{how})\w*)"', source()))
    assert len(events) > 6
    known = " ".join(re.findall(r"`([^`]+)`", GUIDE.split("## Troubleshooting")[1]))
    assert [event for event in sorted(events) if event not in known] == []
    remedies = re.findall(r'(?:Kind\(\s*"\w+",\s*"([^"]+)")', source())
    assert len(remedies) == 2
    for remedy in remedies:
        assert any(message in remedy for message in TROUBLES), remedy


def test_the_figures_follow_from_the_settings() -> None:
    samples = 0.0
    since_ms = 0
    for until_ms, every_ms in CollectorSettings().sampling:
        samples += (until_ms - since_ms) / every_ms
        since_ms = until_ms
    assert since_ms == 30 * DAY_MS
    assert f"about {samples:.0f} times in its 30 days" in GUIDE
    a_second = 1000 * 20 * samples / 86_400
    assert f"are {a_second:.0f} samples per second" in GUIDE
    log = VALUES["log"]
    kept = 6 * log["partitions"] * log["mebibytes"] * 3 / 1024
    assert f"three copies {kept:.0f} GiB" in GUIDE
    assert (
        f"until its session ends, {KafkaSettings(servers=()).session_ms // 1000} seconds" in GUIDE
    )


def test_six_topics_are_kept_for_a_time(tmp_path: Path) -> None:
    settings = read_settings({"ANALYTICBOT_LOG": "kafka://kafka:9092"}, tmp_path)
    assert sum(topic.retention_ms is not None for topic in wanted_topics(settings)) == 6


def test_the_kustomization_is_one_that_works() -> None:
    """tests/deploy/test_kubernetes.py builds the same."""
    ((block),) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    kustomization = yaml.safe_load(block)
    assert set(kustomization) == {"resources", "images", "configMapGenerator"}
    (options,) = kustomization["configMapGenerator"]
    assert {literal.partition("=")[0] for literal in options["literals"]} <= NAMES
    assert options["behavior"] == "merge"
    assert (ROOT / "deploy" / "own" / kustomization["resources"][0]).resolve().is_dir()
