"""Names that look like options and are none: a typo must not be a setting that does nothing."""

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches

_PREFIX = "ANALYTICBOT_"
#: What tests and builds of this project are told, by the same prefix.
_DEVELOPMENT = re.compile(r"ANALYTICBOT_(TEST_\w+|REQUIRE_\w+|GOLDEN|SKIP_WEB)")
#: What Kubernetes and Docker set for a service of the name `analyticbot`, or beginning so.
_SERVICE_LINK = re.compile(
    r"ANALYTICBOT_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP)(_\w+)?)"
)


def unknown_variable(names: Iterable[str], known: Collection[str]) -> str | None:
    """A sentence about the first variable that is nobody's."""
    accepted = {*known, *(f"{name}_FILE" for name in known)}
    for name in sorted(names):
        if not name.startswith(_PREFIX) or name in accepted:
            continue
        if not _DEVELOPMENT.fullmatch(name) and not _SERVICE_LINK.fullmatch(name):
            return f"{name} is unknown{_suggested(name, accepted, 'see docs/CONFIGURATION.md')}"
    return None


def unknown_key(keys: Iterable[str], known: Collection[str]) -> str | None:
    """A sentence about the first key that is nobody's."""
    for key in sorted(set(keys) - set(known)):
        listed = ", ".join(sorted(known))
        return f"unknown key {key}{_suggested(key, known, f'known are {listed}')}"
    return None


def _suggested(name: str, known: Collection[str], else_: str) -> str:
    """By what is left without the prefix, which all have alike."""
    by_rest = {one.removeprefix(_PREFIX): one for one in sorted(known)}
    near = get_close_matches(name.removeprefix(_PREFIX), by_rest, n=1, cutoff=0.7)
    return f"; did you mean {by_rest[near[0]]}?" if near else f"; {else_}"
