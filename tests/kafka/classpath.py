"""The class path of a broker: resolved by Maven once, then kept beside pom.xml."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
KEPT = Path(__file__).with_name("build")
_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath"


class NoBroker(Exception):
    """A broker cannot be had here; the message is one line that says why."""


def java() -> str:
    """The path of Java. Raises NoBroker."""
    found = shutil.which("java")
    if found is None:
        raise NoBroker("no Kafka broker: Java (17 or newer) is not installed")
    return found


def classpath() -> str:
    """Raises NoBroker when Maven is absent or cannot reach its repository."""
    kept = KEPT / f"{_name()}.classpath"
    if kept.is_file():
        path = kept.read_text()
        if all(Path(jar).is_file() for jar in path.split(os.pathsep)):
            return path
    path = _resolved()
    KEPT.mkdir(exist_ok=True)
    # Several test runs may do this at once.
    with tempfile.NamedTemporaryFile("w", dir=KEPT, delete=False) as file:
        file.write(path)
    Path(file.name).replace(kept)
    return path


def archive() -> Path:
    """Where a broker's classes are kept as the JVM likes them best; the file may be missing."""
    return KEPT / f"{_name()}.jsa"


def _name() -> str:
    return hashlib.sha256(POM.read_bytes()).hexdigest()[:16]


def _resolved() -> str:
    maven = shutil.which("mvn")
    if maven is None:
        raise NoBroker("no Kafka broker: Maven (mvn) is not installed")
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "classpath"
        said = ""
        # What is there already needs no network.
        for mode in (["--offline"], []):
            command = [maven, *mode, "--quiet", "--batch-mode", f"--file={POM}", _GOAL]
            command.append(f"-Dmdep.outputFile={answer}")
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0 and answer.is_file():
                return answer.read_text().strip()
            said = done.stdout or done.stderr
    reason = next((line for line in said.splitlines() if "ERROR" in line), "it did not say why")
    raise NoBroker(f"no Kafka broker: Maven could not resolve {POM.name}: {reason}")
