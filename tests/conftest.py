"""What holds for every test."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tests.distribution import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.distribution import (
    pytest_xdist_auto_num_workers as pytest_xdist_auto_num_workers,
)
from tests.distribution import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler
from tests.kafka.fixtures import kafka as kafka
from tests.kafka.fixtures import kafka_cluster as kafka_cluster

# How long an example takes says more about the machine than about the property.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

#: A file system in memory. No test is about power cuts, and most of the time that the tests take
#: elsewhere is waiting for a disk to say that it has what a test deletes a moment later.
MEMORY = Path("/dev/shm")
#: What has to be free of it, and of the memory itself.
NEEDED_BYTES = 8 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary folders in memory where there is room, unless `--basetemp` says where."""
    is_worker = hasattr(config, "workerinput")
    if is_worker or config.option.basetemp is not None or not _has_room():
        return
    folder = Path(tempfile.mkdtemp(prefix="analyticbot-tests-", dir=MEMORY))
    # A database server has a user of its own, who must get to its folder in here.
    folder.chmod(0o711)
    # At the very end: multiprocessing has files in there until the process ends.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config.option.basetemp = folder / "pytest"
    # Brokers and databases that tests start keep theirs there, too.
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def _has_room() -> bool:
    try:
        free = shutil.disk_usage(MEMORY).free
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return False
    [available] = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return min(free, int(available) << 10) >= NEEDED_BYTES
