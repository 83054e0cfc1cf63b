"""All dashboards, and the files that hold them."""

from tools.grafana import collectors, commits, faces, history, overview, pipeline
from tools.grafana.panels import written

BOARDS = tuple(module.BOARD for module in (overview, pipeline, commits, history, faces, collectors))


def files() -> dict[str, str]:
    """What each file of deploy/grafana/dashboards holds."""
    return {f"deploy/grafana/dashboards/{board.uid}.json": written(board) for board in BOARDS}
