"""What faults cost, as it was measured: told at the end of the tests, never failed on."""

import pytest

KEY = "figure"


class Figures:
    """Of one test."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._told = request.node.user_properties

    def note(self, what: str, value: float, unit: str) -> None:
        self._told.append((KEY, f"{what}: {value:.2f} {unit}".replace(".00 ", " ")))
