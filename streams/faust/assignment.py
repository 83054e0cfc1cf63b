"""Telling Faust which partitions this process has, in the terms of Faust's assignor.

With Faust's own driver its assignor reads them from what the leader of the group has computed. Here
they are filled in directly; Faust's recovery and router read these fields.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from faust.assignor.client_assignment import ClientAssignment
from faust.types import AppT


def assign(app: AppT, partitions: Mapping[str, Sequence[int]]) -> None:
    """These partitions of each topic, as actives, to this process; no standbys."""
    actives = {topic: list(numbers) for topic, numbers in partitions.items()}
    assignor: Any = app.assignor
    assignor._assignment = ClientAssignment(actives=actives, standbys={})
    assignor._active_tps = assignor._assignment.active_tps
    assignor._standby_tps = set()
    assignor._topic_groups = dict.fromkeys(actives, 0)
    assignor.changelog_distribution = {str(app.conf.canonical_url): actives}
    assignor.external_topic_distribution = {}
