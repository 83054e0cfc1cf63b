"""Detects unknown option names: a typo must not become a setting without effect."""

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches

_PREFIX = "ANALYTICBOT_"
#: Variables of this project's tests and builds, which have the same prefix.
_DEVELOPMENT = re.compile(r"ANALYTICBOT_(TEST_\w+|REQUIRE_\w+|GOLDEN|SKIP_WEB)")
#: Variables that Kubernetes and Docker set for services named `analyticbot` or `analyticbot-…`.
_SERVICE_LINK = re.compile(
    r"ANALYTICBOT_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP)(_\w+)?)"
)


def unknown_variable(names: Iterable[str], known: Collection[str]) -> str | None:
    """A sentence about the first unknown variable, by name; None if all are known."""
    accepted = {*known, *(f"{name}_FILE" for name in known)}
    for name in sorted(names):
        if not name.startswith(_PREFIX) or name in accepted:
            continue
        if not _DEVELOPMENT.fullmatch(name) and not _SERVICE_LINK.fullmatch(name):
            return f"{name} is unknown{_suggested(name, accepted, 'see docs/CONFIGURATION.md')}"
    return None


def unknown_key(keys: Iterable[str], known: Collection[str]) -> str | None:
    """A sentence about the first unknown key, by name; None if all are known."""
    for key in sorted(set(keys) - set(known)):
        listed = ", ".join(sorted(known))
        return f"unknown key {key}{_suggested(key, known, f'known are {listed}')}"
    return None


def _suggested(name: str, known: Collection[str], else_: str) -> str:
    """Compares names without the common prefix, which would make all of them similar."""
    by_rest = {one.removeprefix(_PREFIX): one for one in sorted(known)}
    near = get_close_matches(name.removeprefix(_PREFIX), by_rest, n=1, cutoff=0.7)
    return f"; did you mean {by_rest[near[0]]}?" if near else f"; {else_}"
