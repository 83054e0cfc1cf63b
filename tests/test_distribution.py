"""A file's tests are run by one process, whatever pytest and pytest-xdist make of each other."""

import os
import subprocess
import sys
from pathlib import Path

from tests.distribution import ROOT, unit

#: Notes which process ran it.
TESTS = """
import os, pathlib, pytest

@pytest.mark.parametrize("number", range(20))
def test_of_a_file(number):
    with pathlib.Path(__file__).with_suffix(".ran").open("a") as ran:
        ran.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def test_the_tests_of_a_file_stay_in_one_process(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"test_{number}.py").write_text(TESTS)
    plugins = ["-p", "xdist.plugin", "-p", "tests.distribution", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-n", "2", "--rootdir", tmp_path, tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    ran = [path.read_text().split() for path in sorted(tmp_path.glob("*.ran"))]
    assert [len(by) for by in ran] == [20] * 6
    assert [len({*by}) for by in ran] == [1] * 6
    assert {by[0] for by in ran} == {"gw0", "gw1"}


def test_all_that_needs_brokers_is_one_unit() -> None:
    assert unit("tests/faults/test_poison.py::test_a") == "brokers"
    assert unit("tests/system/test_moving.py::test_a[::]") == "brokers"
    assert unit("tests/tables/test_ages.py::TestAges::test_a") == "tests/tables/test_ages.py"
