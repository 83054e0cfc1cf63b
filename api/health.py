"""How the parts of a process are: what /readyz tells. Parts add themselves; none is known here."""

import asyncio
from collections.abc import Mapping
from typing import TypeAlias

from litestar.di import NamedDependency

from streams.health import Check, Finding, not_ready

#: A part that has not answered by then is not ready.
TIMEOUT_S = 2.0


class Health:
    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._checks: dict[str, Check] = {}
        self._aside: set[str] = set()
        self._timeout_s = timeout_s

    def add(self, part: str, check: Check, *, needed: bool = True) -> None:
        """A part that is not `needed` is told of; the process is ready without it."""
        self._checks[part] = check
        if not needed:
            self._aside.add(part)

    async def findings(self) -> Mapping[str, Finding]:
        """How every part is now."""
        found = await asyncio.gather(*(self._ask(check) for check in self._checks.values()))
        return dict(zip(self._checks, found, strict=True))

    def reasons(self, findings: Mapping[str, Finding]) -> Mapping[str, str]:
        """Why the process is not ready, by part. Empty when it is."""
        return {
            part: finding.says
            for part, finding in findings.items()
            if not finding.ready and part not in self._aside
        }

    async def _ask(self, check: Check) -> Finding:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await check()
        except TimeoutError:
            return not_ready(f"no answer within {self._timeout_s:g} s")


#: How a route asks for it.
Asked: TypeAlias = NamedDependency[Health]
