"""How Grafana writes a dashboard: JSON, with everything placed from left to right, row by row."""

import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

SOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH = 24
_HEIGHT, _STAT_HEIGHT = 8, 4

Kind = Literal["stat", "timeseries"]


class Query(NamedTuple):
    expression: str
    #: `{{label}}` stands for a label's value.
    legend: str = ""


class Panel(NamedTuple):
    title: str
    description: str
    queries: Sequence[Query]
    unit: str = "short"
    width: int = 12
    kind: Kind = "timeseries"
    #: Of a stat: from here on it is bad.
    bad_from: float | None = None
    #: Of a stat: below this it is bad.
    bad_below: float | None = None


class Row(NamedTuple):
    title: str
    panels: Sequence[Panel]


class Board(NamedTuple):
    #: Also the name of its file.
    uid: str
    title: str
    rows: Sequence[Row]


def written(board: Board) -> str:
    shown = {
        "uid": board.uid,
        "title": board.title,
        "tags": ["analyticbot"],
        "timezone": "utc",
        "schemaVersion": 41,
        "version": 1,
        "editable": False,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "links": [_links()],
        "panels": _placed(board.rows),
    }
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"


def _links() -> dict[str, Any]:
    """To the other dashboards."""
    return {
        "type": "dashboards",
        "title": "AnalyticBot",
        "tags": ["analyticbot"],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
    }


def _placed(rows: Sequence[Row]) -> list[dict[str, Any]]:
    placed: list[dict[str, Any]] = []
    top = 0
    for row in rows:
        head = {"type": "row", "title": row.title, "collapsed": False, "panels": []}
        placed.append(head | {"id": len(placed) + 1, "gridPos": _at(0, top, WIDTH, 1)})
        top += 1
        left = height = 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                left, top = 0, top + height
            height = _STAT_HEIGHT if panel.kind == "stat" else _HEIGHT
            place = _at(left, top, panel.width, height)
            placed.append(_panel(panel) | {"id": len(placed) + 1, "gridPos": place})
            left += panel.width
        top += height
    return placed


def _at(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def _panel(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.kind == "stat":
        defaults |= {"thresholds": _thresholds(panel), "noValue": "none"}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _STAT if panel.kind == "stat" else _SERIES,
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend,
                "instant": panel.kind == "stat",
            }
            for number, query in enumerate(panel.queries)
        ],
    }


_STAT = {
    "colorMode": "background",
    "graphMode": "none",
    "reduceOptions": {"calcs": ["lastNotNull"]},
}
_SERIES = {
    "legend": {"displayMode": "list", "placement": "bottom"},
    "tooltip": {"mode": "multi", "sort": "desc"},
}


def _thresholds(panel: Panel) -> dict[str, Any]:
    if panel.bad_below is not None:
        steps = [(None, "red"), (panel.bad_below, "green")]
    elif panel.bad_from is not None:
        steps = [(None, "green"), (panel.bad_from, "red")]
    else:
        steps = [(None, "blue")]
    return {"mode": "absolute", "steps": [{"value": at, "color": color} for at, color in steps]}
