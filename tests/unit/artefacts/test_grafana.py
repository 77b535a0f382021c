"""What Grafana reads, by its own types and by its documentation: dashboards and provisioning.

The types are those of one version of Grafana, panels' options included; test_grafana_versions.py has others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as grafana

from driftgauge.artefacts.dashboards import DASHBOARDS, text

ROOT = Path(__file__).resolve().parents[3]
GRAFANA = ROOT / "grafana"

# Read by Grafana and not part of its published schema: the texts of a Prometheus annotation (documented
# with the data source), and what the variables' editor shows.
BEYOND_THE_SCHEMA = {
    "annotations.list[].textFormat",
    "annotations.list[].titleFormat",
    "annotations.list[].useValueForTime",
    "templating.list[].definition",
}

plugins.register_default_plugins()


def lost(given: Any, back: Any, place: str = "") -> Iterator[str]:
    """Places of *given* that are not in *back*, or are otherwise there."""
    if isinstance(given, dict) and isinstance(back, dict):
        for key, value in given.items():
            at = f"{place}.{key}".lstrip(".")
            yield from lost(value, back[key], at) if key in back else (at,)
    elif isinstance(given, list) and isinstance(back, list) and len(given) == len(back):
        for one, other in zip(given, back, strict=True):
            yield from lost(one, other, f"{place}[]")
    elif given != back:
        yield f"{place}: {given!r} is read as {back!r}"


def read(board: dict[str, Any]) -> dict[str, Any]:
    """What Grafana's types keep of a dashboard."""
    return json.loads(JSONEncoder().encode(grafana.Dashboard.from_json(board)))


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.uid)
def test_grafanas_own_types_know_all_of_a_dashboard(board):
    given = json.loads(text(board))
    assert set(lost(given, read(given))) == BEYOND_THE_SCHEMA


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"fieldConfig.defaults.unti": "s"}, "panels[].fieldConfig.defaults.unti"),
        ({"options.legend.displayMod": "list"}, "panels[].options.legend.displayMod"),
        ({"fieldConfig.defaults.custom.lineWith": 1}, "panels[].fieldConfig.defaults.custom.lineWith"),
        ({"targets.0.exp": "up"}, "panels[].targets[].exp"),
    ],
)
def test_a_wrong_name_would_be_found(change, found):
    given = json.loads(text(next(board for board in DASHBOARDS if board.uid == "driftgauge-model")))
    node: Any = next(panel for panel in given["panels"] if panel["type"] == "timeseries")
    ((path, value),) = change.items()
    *parts, last = path.split(".")
    for part in parts:
        node = node[int(part) if part.isdigit() else part]
    node[last] = value
    assert found in set(lost(given, read(given)))


# Closed sets, which the types' reading lets pass, by the key that holds one of them.
CLOSED = {
    "axisPlacement": common.AxisPlacement,
    "cellHeight": common.TableCellHeight,
    "colorMode": common.BigValueColorMode,
    "displayMode": common.LegendDisplayMode,
    "drawStyle": common.GraphDrawStyle,
    "gradientMode": common.GraphGradientMode,
    "graphMode": common.BigValueGraphMode,
    "justifyMode": common.BigValueJustifyMode,
    "lineInterpolation": common.LineInterpolation,
    "orientation": common.VizOrientation,
    "placement": common.LegendPlacement,
    "showPoints": common.VisibilityMode,
    "showValue": common.VisibilityMode,
    "textMode": common.BigValueTextMode,
}
# And by the object that has a `mode`.
MODES = {
    "color": grafana.FieldColorModeId,
    "stacking": common.StackingMode,
    "thresholds": grafana.ThresholdsMode,
    # Until 11 its name had a slip.
    "thresholdsStyle": getattr(common, "GraphThresholdsStyleMode", None) or common.GraphTresholdsStyleMode,
    "tooltip": common.TooltipDisplayMode,
}


def chosen(node: Any) -> Iterator[tuple[str, str]]:
    """Each value of a closed set, with the key that says of which."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        if key in CLOSED:
            yield key, child
        elif key in MODES and isinstance(child, dict):
            yield key, child["mode"]
        yield from chosen(child)


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.uid)
def test_values_of_closed_sets_are_grafanas(board):
    found = set(chosen(json.loads(text(board))["panels"]))
    assert len(found) > 10
    wrong = [(key, value) for key, value in found if value not in {*(CLOSED | MODES)[key]}]
    assert not wrong


# --- provisioning: https://grafana.com/docs/grafana/latest/administration/provisioning/ ---------------

PROVIDER = {
    "name": str,
    "orgId": int,
    "folder": str,
    "folderUid": str,
    "type": str,
    "disableDeletion": bool,
    "updateIntervalSeconds": int,
    "allowUiUpdates": bool,
    "options": dict,
}
SOURCE = {
    "name": str,
    "type": str,
    "access": str,
    "orgId": int,
    "uid": str,
    "url": str,
    "isDefault": bool,
    "version": int,
    "editable": bool,
    "jsonData": dict,
}


def provisioned(kind: str, key: str) -> dict[str, Any]:
    """The only entry of the only file of a kind."""
    (file,) = sorted((GRAFANA / "provisioning" / kind).iterdir())
    tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert tree.keys() == {"apiVersion", key}
    assert tree["apiVersion"] == 1
    (entry,) = tree[key]
    return entry


@pytest.mark.parametrize(
    ("kind", "key", "known"), [("dashboards", "providers", PROVIDER), ("datasources", "datasources", SOURCE)]
)
def test_provisioning_has_only_what_grafana_documents(kind, key, known):
    entry = provisioned(kind, key)
    assert entry.keys() <= known.keys()
    assert all(type(value) is known[name] for name, value in entry.items())


def test_the_provider_reads_the_folder_of_the_dashboards():
    entry = provisioned("dashboards", "providers")
    assert entry["type"] == "file"
    assert entry["allowUiUpdates"] is False
    assert entry["options"].keys() == {"path"}
    assert Path(entry["options"]["path"]).name == "driftgauge"


def test_the_data_source_is_a_prometheus():
    entry = provisioned("datasources", "datasources")
    assert (entry["type"], entry["access"], entry["isDefault"]) == ("prometheus", "proxy", True)
    assert entry["url"].startswith("http://")
