"""Models that learn one example at a time. `model.py` is the port, tests/laws/model.py its laws."""
