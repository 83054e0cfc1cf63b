"""Programs in Go that tests and generators call: found, or built once and kept.

`helm` is Helm itself; `manifests` is tools/deploy/main.go. Both are built from
tools/deploy/go.mod, whose go.sum pins every module by its hash. A running Helm given by
ANALYTICBOT_TEST_HELM, or found on the path, is taken instead of a build.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

MODULE = Path(__file__).with_name("deploy")
_PACKAGES: Mapping[str, str] = {"helm": "helm.sh/helm/v3/cmd/helm", "manifests": "."}
#: Nobody waits for these programs: they are to be built quickly, not to run quickly.
_QUICKLY = ("-trimpath", "-gcflags=all=-N -l", "-ldflags=-s -w")


class NoProgram(Exception):
    """It cannot be had here; the message is one line that says why."""


def helm() -> Path:
    """Raises NoProgram."""
    given = os.environ.get("ANALYTICBOT_TEST_HELM") or shutil.which("helm")
    return Path(given) if given else built("helm")


def manifests() -> Path:
    """Raises NoProgram."""
    return built("manifests")


def built(name: str) -> Path:
    """Takes about two minutes the first time, on one core. Raises NoProgram."""
    kept = _folder() / name
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        _build(_PACKAGES[name], kept)
    return kept


def _folder() -> Path:
    """Of the user's cache: what is there was built from these very sources."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    sources = b"".join((MODULE / name).read_bytes() for name in ("go.mod", "go.sum", "main.go"))
    return cache / "analyticbot" / f"deploy-{hashlib.sha256(sources).hexdigest()[:16]}"


def _build(package: str, target: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise NoProgram(f"no {target.name}: neither it nor Go is installed")
    # Several runs may do this at once.
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        command = [go, "build", *_QUICKLY, "-o", str(made), package]
        done = subprocess.run(command, cwd=MODULE, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or ["it did not say why"]
            raise NoProgram(f"no {target.name}: Go could not build it: {said[-1]}")
        made.replace(target)
