"""Sets the partitions of this process in the fields of Faust's assignor.

Faust's driver fills these fields from the assignment that the group's leader computed. Here they
are set directly; Faust's recovery and router read them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from faust.assignor.client_assignment import ClientAssignment
from faust.types import AppT


def assign(app: AppT, partitions: Mapping[str, Sequence[int]]) -> None:
    """Assign these partitions of each topic to this process as actives, without standbys."""
    actives = {topic: list(numbers) for topic, numbers in partitions.items()}
    assignor: Any = app.assignor
    assignor._assignment = ClientAssignment(actives=actives, standbys={})
    assignor._active_tps = assignor._assignment.active_tps
    assignor._standby_tps = set()
    assignor._topic_groups = dict.fromkeys(actives, 0)
    assignor.changelog_distribution = {str(app.conf.canonical_url): actives}
    assignor.external_topic_distribution = {}
