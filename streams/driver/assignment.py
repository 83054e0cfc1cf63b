"""Giving one process all partitions, in the terms of Faust's assignor.

With Kafka a leader computes the assignment, the broker distributes it, and the assignor reads it
back from bytes. Here it is filled in directly; Faust's recovery and router read these fields.
"""

from typing import Any

from faust.assignor.client_assignment import ClientAssignment
from faust.types import AppT


def assign_all(app: AppT, partitions: dict[str, int]) -> None:
    """Every partition of every topic, as actives, to this process; no standbys."""
    actives = {topic: list(range(count)) for topic, count in partitions.items()}
    assignor: Any = app.assignor
    assignor._assignment = ClientAssignment(actives=actives, standbys={})
    assignor._active_tps = assignor._assignment.active_tps
    assignor._standby_tps = set()
    assignor._topic_groups = dict.fromkeys(actives, 0)
    assignor.changelog_distribution = {str(app.conf.canonical_url): actives}
    assignor.external_topic_distribution = {}
