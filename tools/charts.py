"""What the Helm chart makes of values, as Kubernetes gets it."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tools.programs import helm

CHART = Path(__file__).parents[1] / "deploy" / "helm" / "analyticbot"
#: The oldest that the chart is for (Chart.yaml says the same).
KUBERNETES = "1.27.0"

Manifest: TypeAlias = dict[str, Any]


class ChartError(Exception):
    """Helm did not take the values; the message is what it said."""


def rendered(values: Iterable[str] = (), release: str = "analyticbot") -> str:
    """The manifests, for `values` as `--set` takes them. Raises ChartError, NoProgram."""
    return _helm("template", release, str(CHART), *_options(values))


def linted(values: Iterable[str] = ()) -> str:
    """What Helm has to say of the chart. Raises ChartError when it is wrong; NoProgram."""
    return _helm("lint", "--strict", str(CHART), *_options(values))


def objects(text: str) -> list[Manifest]:
    return [one for one in yaml.safe_load_all(text) if one]


def named(manifests: Iterable[Manifest]) -> Mapping[tuple[str, str], Manifest]:
    """By kind and name."""
    return {(one["kind"], one["metadata"]["name"]): one for one in manifests}


def pod_of(workload: Manifest) -> Manifest:
    """The pod that a Deployment, a StatefulSet or a Job makes."""
    pod: Manifest = workload["spec"]["template"]["spec"]
    return pod


def _options(values: Iterable[str]) -> list[str]:
    return [f"--kube-version={KUBERNETES}", *(f"--set={value}" for value in values)]


def _helm(*arguments: str) -> str:
    command = [str(helm()), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ChartError(done.stderr.strip() or done.stdout.strip())
    return done.stdout
