"""docker-compose.yml and .env.example, parsed."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
#: What runs until it is stopped; the rest ends by itself.
ROLES = {name: service for name, service in OURS.items() if name != "migrate"}
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)
#: A variable that is put in from outside.
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::[-?]([^}]*))?\}")


def filled(service: dict[str, Any]) -> dict[str, str]:
    """The environment of a service, with something in place of every variable."""
    values = {name: value or "42" for name, value in EXAMPLE.items()}
    return {
        name: VARIABLE.sub(lambda found: values[found[1]], value)
        for name, value in service["environment"].items()
    }
