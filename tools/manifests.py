"""deploy/kubernetes, from the Helm chart, for people without Helm.

    python -m tools.manifests            write the files anew
    python -m tools.manifests --check    fail when one is not fresh

Needs Helm, or Go to build it (tools.programs). kustomization.yaml is written by hand.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml

from tools.charts import Manifest, objects, pod_of, rendered

FOLDER = Path(__file__).parents[1] / "deploy" / "kubernetes"
OPTIONS = "analyticbot.env"
_HEAD = "# Made from deploy/helm by `python -m tools.manifests`: change that, or patch this.\n"
_OPTIONS_HEAD = "# Made from deploy/helm by `python -m tools.manifests`: these are its defaults.\n"
_WORKLOADS = ("Deployment", "StatefulSet", "Job")
#: Helm's own marks, which say nothing where Helm is not used.
_HELMS = ("helm.sh/", "app.kubernetes.io/managed-by")


def files() -> Mapping[str, str]:
    """The name of every file, and what it must hold. Raises ChartError, NoProgram."""
    manifests = [_plain(one) for one in objects(rendered())]
    options: dict[str, str] = {}
    for workload in (one for one in manifests if one["kind"] in _WORKLOADS):
        options |= _taken_out(workload)
    roles = sorted({_role(one) for one in manifests})
    made = {f"{role}.yaml": _text(one for one in manifests if _role(one) == role) for role in roles}
    made[OPTIONS] = _OPTIONS_HEAD + "".join(f"{name}={value}\n" for name, value in options.items())
    return made


def stale() -> list[str]:
    """The files that are not what they must be. Raises ChartError, NoProgram."""
    return [name for name, text in files().items() if _read(FOLDER / name) != text]


def main() -> int:
    if "--check" in sys.argv[1:]:
        names = stale()
        for name in names:
            print(f"{name} is not fresh: run `python -m tools.manifests` and commit it")
        return 1 if names else 0
    for name, text in files().items():
        (FOLDER / name).write_text(text)
    return 0


def _read(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


def _role(manifest: Manifest) -> str:
    role: str = manifest["metadata"]["labels"]["app.kubernetes.io/component"]
    return role


def _plain(manifest: Manifest) -> Manifest:
    """Without what Helm marks its own with."""
    for metadata in _metadatas(manifest):
        for field in ("labels", "annotations"):
            kept = {k: v for k, v in metadata.pop(field, {}).items() if not k.startswith(_HELMS)}
            if kept:
                metadata[field] = kept
    return manifest


def _metadatas(manifest: Manifest) -> Iterator[Manifest]:
    yield manifest["metadata"]
    if manifest["kind"] in _WORKLOADS:
        yield manifest["spec"]["template"]["metadata"]


def _taken_out(workload: Manifest) -> dict[str, str]:
    """The options that are the operator's to set: they move into one file for all roles."""
    (container,) = pod_of(workload)["containers"]
    ours = {one["name"]: one["value"] for one in container["env"] if _is_set(one)}
    container["env"] = [one for one in container["env"] if not _is_set(one)]
    container["envFrom"] = [{"configMapRef": {"name": "analyticbot"}}]
    return ours


def _is_set(variable: Manifest) -> bool:
    name: str = variable["name"]
    fixed = name.endswith("_FILE") or name in ("ANALYTICBOT_HOST", "ANALYTICBOT_PORT")
    return "value" in variable and not fixed


def _text(manifests: Iterable[Manifest]) -> str:
    return _HEAD + "---\n".join(yaml.safe_dump(one, sort_keys=False) for one in manifests)


if __name__ == "__main__":
    sys.exit(main())
