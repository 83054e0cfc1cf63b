"""What the collector of garbage is told (analyticbot/memory.py)."""

import gc

from analyticbot.memory import THRESHOLDS, loaded_for_good, tune_memory


def test_the_collector_looks_less_often() -> None:
    before = gc.get_threshold()
    try:
        tune_memory()
        assert gc.get_threshold() == THRESHOLDS
    finally:
        gc.set_threshold(*before)


def test_what_is_loaded_is_spared_until_the_end() -> None:
    with loaded_for_good():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
