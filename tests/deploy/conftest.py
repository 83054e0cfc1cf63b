"""Helm and what reads manifests, for tests of what it makes.

Where they can neither be found nor built, these tests skip and say why, or fail with
ANALYTICBOT_REQUIRE_HELM=1. Building takes about two minutes, once.
"""

import os

import pytest

from tools import programs


@pytest.fixture(scope="session")
def helm() -> None:
    try:
        programs.helm()
        programs.manifests()
    except programs.NoProgram as error:
        if os.environ.get("ANALYTICBOT_REQUIRE_HELM") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
