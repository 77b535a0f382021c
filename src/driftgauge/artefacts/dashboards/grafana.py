"""Dashboards as Grafana reads them: JSON of schema version 38, which Grafana 10 to 12 load or migrate."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from driftgauge.artefacts.dashboards.board import (
    WIDTH,
    Annotation,
    Choice,
    Dashboard,
    Kind,
    Link,
    Panel,
    Query,
    Row,
    State,
    Steps,
    Variable,
)

Json = dict[str, Any]

SCHEMA_VERSION: Final = 38
# Without it a panel's options are taken for those of Grafana 6, and migrated from there.
_PLUGIN_VERSION: Final = "10.0.0"
_SOURCE: Final[Mapping[str, str]] = {"type": "prometheus", "uid": "${datasource}"}
_TAG: Final = "driftgauge"
_REFERENCE_IDS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# An interval's ends are drawn thin and dashed beside their number.
_ENDS: Final = "/ (low|high)$/"
_LAST: Final = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_NO_LEGEND: Final = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False}
_TOOLTIP: Final = {"mode": "multi", "sort": "desc"}


def text(dashboard: Dashboard) -> str:
    """The dashboard's file; the same text for the same values."""
    return json.dumps(_dashboard(dashboard), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _dashboard(dashboard: Dashboard) -> Json:
    return {
        "annotations": {"list": [_OWN_ANNOTATIONS, *map(_annotation, dashboard.annotations)]},
        "description": dashboard.description,
        "editable": False,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "links": [_others()],
        "liveNow": False,
        "panels": list(_rows(dashboard.rows)),
        "refresh": "1m",
        "schemaVersion": SCHEMA_VERSION,
        "tags": [_TAG],
        "templating": {"list": [_data_source(), *map(_variable, dashboard.variables)]},
        "time": {"from": dashboard.since, "to": "now"},
        "timepicker": {},
        "timezone": "",
        "title": dashboard.title,
        "uid": dashboard.uid,
        "version": 1,
        "weekStart": "",
    }


# What people write into Grafana themselves stays visible.
_OWN_ANNOTATIONS: Final[Json] = {
    "builtIn": 1,
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
    "name": "Annotations & Alerts",
    "type": "dashboard",
}


def _annotation(annotation: Annotation) -> Json:
    return {
        "datasource": dict(_SOURCE),
        "enable": True,
        "expr": annotation.expression,
        "iconColor": annotation.colour,
        "name": annotation.name,
        "textFormat": annotation.text,
        "titleFormat": annotation.title,
        "useValueForTime": "on" if annotation.at_value else False,
    }


def _others() -> Json:
    """Links to all dashboards of the tag, which keep what is chosen and the time shown."""
    return {
        "asDropdown": False,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "tags": [_TAG],
        "targetBlank": False,
        "title": "driftgauge",
        "tooltip": "",
        "type": "dashboards",
        "url": "",
    }


# --- variables ------------------------------------------------------------------------------------


def _data_source() -> Json:
    return {
        "current": {},
        "hide": 0,
        "includeAll": False,
        "label": "Data Source",
        "multi": False,
        "name": "datasource",
        "options": [],
        "query": "prometheus",
        "refresh": 1,
        "regex": "",
        "skipUrlSync": False,
        "type": "datasource",
    }


def _variable(variable: Variable | Choice) -> Json:
    return _choice(variable) if isinstance(variable, Choice) else _asked(variable)


def _asked(variable: Variable) -> Json:
    definition = f"label_values({variable.asked}, {variable.of})"
    everything = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return {
        # What is absent, as a namespace outside Kubernetes, must match too: not `.+`.
        **({"allValue": ".*"} if variable.several else {}),
        "current": everything if variable.several else {},
        "datasource": dict(_SOURCE),
        "definition": definition,
        "hide": 0,
        "includeAll": variable.several,
        "label": variable.label,
        "multi": variable.several,
        "name": variable.name,
        "options": [],
        "query": {"qryType": 1, "query": definition, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": 2,
        "regex": "",
        "skipUrlSync": False,
        "sort": 4 if variable.descending else 1,
        "type": "query",
    }


def _choice(choice: Choice) -> Json:
    options = [
        {"selected": value == choice.values[0], "text": value, "value": value} for value in choice.values
    ]
    return {
        "current": options[0],
        "hide": 0,
        "includeAll": False,
        "label": choice.label,
        "multi": False,
        "name": choice.name,
        "options": options,
        "query": ",".join(choice.values),
        "skipUrlSync": False,
        "type": "custom",
    }


# --- the grid -------------------------------------------------------------------------------------


def _rows(rows: tuple[Row, ...]) -> Iterator[Json]:
    """Row panels and panels with their places; a folded row carries its own."""
    top, number = 0, 0
    for row in rows:
        number += 1
        head = _row(row, number, top)
        placed = [
            {**_panel(panel), "id": number + offset, "gridPos": place}
            for offset, (panel, place) in enumerate(_placed(row.panels, top + 1), start=1)
        ]
        number += len(placed)
        bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in placed)
        if row.folded:
            yield {**head, "panels": placed}
            top += 1
        else:
            yield head
            yield from placed
            top = bottom


def _row(row: Row, number: int, top: int) -> Json:
    return {
        "collapsed": row.folded,
        "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": top},
        "id": number,
        "panels": [],
        "title": row.title,
        "type": "row",
    }


def _placed(panels: tuple[Panel, ...], top: int) -> Iterator[tuple[Panel, Json]]:
    """Panels from left to right, line by line, from *top* down."""
    left, deepest = 0, 0
    for panel in panels:
        if left + panel.width > WIDTH:
            left, top, deepest = 0, top + deepest, 0
        yield panel, {"h": panel.height, "w": panel.width, "x": left, "y": top}
        left, deepest = left + panel.width, max(deepest, panel.height)


# --- panels ---------------------------------------------------------------------------------------


def _panel(panel: Panel) -> Json:
    return {
        "datasource": dict(_SOURCE),
        "description": panel.description,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": list(_overrides(panel))},
        "options": _OPTIONS[panel.kind](panel),
        "pluginVersion": _PLUGIN_VERSION,
        "targets": [_target(panel.kind, query, at) for at, query in enumerate(panel.queries)],
        "title": panel.title,
        "transformations": _transformations(panel),
        "type": str(panel.kind),
    }


def _target(kind: Kind, query: Query, at: int) -> Json:
    now = kind in {Kind.NUMBER, Kind.TABLE, Kind.BARS}
    return {
        "datasource": dict(_SOURCE),
        "editorMode": "code",
        "expr": query.expression,
        "format": "table" if kind in {Kind.TABLE, Kind.BARS} else "time_series",
        "instant": now,
        "legendFormat": query.name,
        "range": not now,
        "refId": _REFERENCE_IDS[at],
    }


def _defaults(panel: Panel) -> Json:
    by_value = panel.kind in {Kind.NUMBER, Kind.STATES, Kind.TABLE}
    found: Json = {
        "color": {"mode": "thresholds" if by_value else "palette-classic"},
        "custom": _CUSTOM[panel.kind](panel),
        "links": [_link(link, panel.kind) for link in panel.links],
        "mappings": _mappings(panel.states),
        "thresholds": _thresholds(panel.steps),
        "unit": panel.unit,
    }
    ends = {"min": panel.least, "max": panel.most}
    return found | {name: end for name, end in ends.items() if end is not None}


def _thresholds(steps: Steps) -> Json:
    listed: list[Json] = [{"color": steps.base, "value": None}]
    listed += [{"color": colour, "value": value} for value, colour in steps.limits]
    return {"mode": "absolute", "steps": listed}


def _mappings(states: tuple[State, ...]) -> list[Json]:
    if not states:
        return []
    options = {
        str(state.value): {"color": state.colour, "index": at, "text": state.text}
        for at, state in enumerate(states)
    }
    return [{"options": options, "type": "value"}]


def _link(link: Link, kind: Kind) -> Json:
    source = "__data.fields" if kind is Kind.TABLE else "__field.labels"
    kept = [f"${{{name}:queryparam}}" for name in link.kept]
    filled = [f"var-{name}=${{{source}.{label}:percentencode}}" for name, label in link.filled]
    asked = "&".join(("${__url_time_range}", *kept, *filled))
    return {"targetBlank": False, "title": link.title, "url": f"/d/{link.uid}?{asked}"}


def _overrides(panel: Panel) -> Iterator[Json]:
    if panel.kind is Kind.TABLE:
        yield from (_column(query) for query in panel.queries)
    elif panel.kind is Kind.TREND:
        yield {
            "matcher": {"id": "byRegexp", "options": _ENDS},
            "properties": [
                {"id": "custom.lineStyle", "value": {"dash": [4, 6], "fill": "dash"}},
                {"id": "custom.hideFrom", "value": {"legend": True, "tooltip": False, "viz": False}},
            ],
        }


def _column(query: Query) -> Json:
    properties: list[Json] = [{"id": "unit", "value": query.unit or "none"}]
    if query.steps is not None:
        properties += [
            {"id": "thresholds", "value": _thresholds(query.steps)},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ]
    if query.states:
        properties += [
            {"id": "mappings", "value": _mappings(query.states)},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ]
    return {"matcher": {"id": "byName", "options": query.name}, "properties": properties}


def _transformations(panel: Panel) -> list[Json]:
    """A table joins its queries by their labels; bars stand side by side in each bin."""
    if panel.kind is Kind.BARS:
        by_bin = {"columnField": "series", "rowField": "bin", "valueField": "Value"}
        return [
            {"id": "sortBy", "options": {"fields": {}, "sort": [{"desc": False, "field": "bin"}]}},
            {"id": "groupingToMatrix", "options": by_bin},
        ]
    if panel.kind is Kind.TABLE:
        return [{"id": "merge", "options": {}}, {"id": "organize", "options": _columns(panel)}]
    return []


def _columns(panel: Panel) -> Json:
    # The only value of one query is `Value`; those of several are told apart.
    letters = [f"Value #{letter}" for letter in _REFERENCE_IDS[: len(panel.queries)]]
    names = ["Value"] if len(panel.queries) == 1 else letters
    titles = dict(zip(names, (query.name for query in panel.queries), strict=True)) | dict(panel.labels)
    order = [*(label for label, _ in panel.labels), *names]
    return {
        "excludeByName": {"Time": True, **dict.fromkeys(_hidden(panel), True)},
        "indexByName": {name: at for at, name in enumerate(order)},
        "renameByName": titles,
    }


# Labels that a table's queries may answer with and that it doesn't show.
_LABELS: Final = ("job", "namespace", "window", "cohort", "segment", "segment_value", "class", "output")


def _hidden(panel: Panel) -> list[str]:
    shown = {label for label, _ in panel.labels}
    return [label for label in _LABELS if label not in shown]


# --- what each kind of panel has of its own -------------------------------------------------------


def _trend_custom(panel: Panel) -> Json:
    return {
        "axisPlacement": "auto",
        "drawStyle": "line",
        "fillOpacity": 0,
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "scaleDistribution": {"type": "linear"},
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "none"},
        "thresholdsStyle": {"mode": "line" if panel.steps.limits else "off"},
    }


def _bars_custom(_: Panel) -> Json:
    return {"axisPlacement": "auto", "fillOpacity": 80, "gradientMode": "none", "lineWidth": 1}


def _table_custom(_: Panel) -> Json:
    return {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}


def _states_custom(_: Panel) -> Json:
    return {"fillOpacity": 70, "lineWidth": 0}


def _trend_options(_: Panel) -> Json:
    legend = {"calcs": ["lastNotNull"], "displayMode": "table", "placement": "bottom", "showLegend": True}
    return {"legend": legend, "tooltip": dict(_TOOLTIP)}


def _number_options(_: Panel) -> Json:
    return {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": dict(_LAST),
        "textMode": "auto",
    }


def _table_options(panel: Panel) -> Json:
    order = [{"desc": True, "displayName": panel.sorted_by}] if panel.sorted_by else []
    footer = {"countRows": False, "fields": "", "reducer": ["sum"], "show": False}
    return {"cellHeight": "sm", "footer": footer, "showHeader": True, "sortBy": order}


def _bars_options(_: Panel) -> Json:
    return {
        "barRadius": 0,
        "barWidth": 0.9,
        "fullHighlight": False,
        "groupWidth": 0.7,
        "legend": {**_NO_LEGEND, "showLegend": True},
        "orientation": "vertical",
        "showValue": "never",
        "stacking": "none",
        "tooltip": dict(_TOOLTIP),
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 0,
    }


def _states_options(_: Panel) -> Json:
    return {
        "alignValue": "left",
        "legend": dict(_NO_LEGEND),
        "mergeValues": True,
        "rowHeight": 0.9,
        "showValue": "never",
        "tooltip": {"mode": "single", "sort": "none"},
    }


_OPTIONS: Final = {
    Kind.TREND: _trend_options,
    Kind.NUMBER: _number_options,
    Kind.TABLE: _table_options,
    Kind.BARS: _bars_options,
    Kind.STATES: _states_options,
}
_CUSTOM: Final = {
    Kind.TREND: _trend_custom,
    Kind.NUMBER: lambda _: {},
    Kind.TABLE: _table_custom,
    Kind.BARS: _bars_custom,
    Kind.STATES: _states_custom,
}
