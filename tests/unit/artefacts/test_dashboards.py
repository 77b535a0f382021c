"""The dashboards: what is checked in, what Grafana's own linter asks for, and that each query can be answered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
from tests.promql import grouped_labels, metrics_of, selectors, walk

from driftgauge.artefacts import thresholds
from driftgauge.artefacts.dashboards import DASHBOARDS, text
from driftgauge.artefacts.dashboards.grafana import SCHEMA_VERSION
from driftgauge.artefacts.dashboards.queries import RECORDED
from driftgauge.artefacts.rules.shipped import shipped_rules
from driftgauge.metrics import BY_NAME, METRICS
from driftgauge.metrics.injector import FAMILY as INJECTOR
from driftgauge.metrics.trigger import FAMILY as TRIGGER
from driftgauge.stats.verdicts import RULES

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "grafana" / "dashboards"
BOARDS: dict[str, dict[str, Any]] = {board.uid: json.loads(text(board)) for board in DASHBOARDS}

# What Prometheus and the rules add to our metrics; labels of the scrape come on top of each.
SCRAPED = {"job", "instance", "namespace", "pod", "container"}
OWN_OF_PROMETHEUS = {
    "ALERTS": {"alertname", "alertstate", "severity", "model", "model_version", "feature", "window"},
    "up": set(),
    "scrape_duration_seconds": set(),
    "scrape_samples_scraped": set(),
}
# Grafana's names of units, of those that we use: @grafana/data, valueFormats/categories.ts.
UNITS = {"none", "percentunit", "s", "bytes", "reqps", "cps", "cores", "short", "dateTimeFromNow"}
# Built into Grafana.
GLOBALS = {"__rate_interval", "__range", "__url_time_range", "__data", "__field"}


def known_series() -> dict[str, tuple[set[str], bool]]:
    """Labels by series name, and whether it is a counter."""
    found = {name: (labels | SCRAPED, False) for name, labels in OWN_OF_PROMETHEUS.items()}
    for metric in METRICS:
        labels = set(metric.labels) | SCRAPED
        if metric.type == "histogram":
            found[f"{metric.name}_bucket"] = (labels | {"le"}, True)
            found |= {f"{metric.name}_{part}": (labels, True) for part in ("sum", "count")}
        else:
            found[metric.name] = (labels, metric.type == "counter")
    for rule in shipped_rules().recordings():
        # Pods are gone from what is recorded; of rules that share a name the first says what is left.
        found.setdefault(rule.record, ({*rule.remaining, "job", "namespace"}, False))
    return found


SERIES = known_series()


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """All but the rows, those in folded rows too."""
    nested = [inner for panel in board["panels"] for inner in panel.get("panels", ())]
    return [panel for panel in (*board["panels"], *nested) if panel["type"] != "row"]


def plain(query: str) -> str:
    """A query with Grafana's variables filled in."""
    timed = query.replace("$__rate_interval", "1m").replace("$__range", "1h")
    return re.sub(r"\$\{?\w+\}?", "x", timed)


PANELS = [
    pytest.param(board, panel, id=f"{board['uid']}: {panel['title']}")
    for board in BOARDS.values()
    for panel in panels(board)
]
QUERIES = [
    pytest.param(query, id=f"{board['uid']}: {place}")
    for board in BOARDS.values()
    for place, query in (
        *((f"{p['title']} {t['refId']}", t["expr"]) for p in panels(board) for t in p["targets"]),
        *((a["name"], a["expr"]) for a in board["annotations"]["list"] if "expr" in a),
    )
]
VARIABLES = [
    pytest.param(variable, id=f"{board['uid']}: ${variable['name']}")
    for board in BOARDS.values()
    for variable in board["templating"]["list"]
]
each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def test_what_is_checked_in_is_what_is_generated():
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == {
        f"{board.uid}.json": text(board) for board in DASHBOARDS
    }, "run `make generate`"


@each_board
def test_it_can_be_found_and_not_be_edited(board):
    assert re.fullmatch(r"driftgauge-[a-z]+", board["uid"])
    assert board["editable"] is False
    assert board["tags"] == ["driftgauge"]
    assert board["title"].startswith("driftgauge / ")
    assert board["description"]
    assert board["schemaVersion"] == SCHEMA_VERSION
    assert "id" not in board, "Grafana gives the id"


@each_board
def test_panels_neither_share_an_id_nor_overlap(board):
    every = [*board["panels"], *(inner for panel in board["panels"] for inner in panel.get("panels", ()))]
    assert len({panel["id"] for panel in every}) == len(every)
    for group in (board["panels"], *(panel["panels"] for panel in board["panels"] if panel.get("panels"))):
        taken: dict[tuple[int, int], str] = {}
        for panel in group:
            at = panel["gridPos"]
            for cell in (
                (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
            ):
                assert cell[0] < 24, panel["title"]
                assert cell not in taken, f"{panel['title']} lies over {taken[cell]}"
                taken[cell] = panel["title"]


@each_board
def test_titles_tell_panels_apart(board):
    titles = [panel["title"] for panel in panels(board)]
    assert len(set(titles)) == len(titles)


# --- variables ------------------------------------------------------------------------------------


@each_board
def test_the_data_source_is_chosen_first(board):
    first = board["templating"]["list"][0]
    assert (first["name"], first["label"], first["type"], first["query"]) == (
        "datasource",
        "Data Source",
        "datasource",
        "prometheus",
    )
    assert [variable["name"] for variable in board["templating"]["list"][1:3]] == ["job", "namespace"]


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_that_is_asked_for_is_asked_anew_when_the_time_changes(variable):
    if variable["type"] != "query":
        assert variable["type"] in {"datasource", "custom"}
        return
    assert variable["datasource"]["uid"] == "${datasource}"
    assert variable["label"] == variable["name"].title()
    assert variable["refresh"] == 2
    if variable["name"] == "window":  # of several windows nothing could be read
        assert not variable["multi"]
        return
    assert variable["multi"]
    assert variable["includeAll"]
    assert variable["allValue"] == ".*", "outside Kubernetes there is no namespace, which must match too"


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_asks_for_a_label_that_exists(variable):
    if variable["type"] != "query":
        return
    asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"])
    assert variable["query"]["query"] == variable["definition"]
    (selector,) = selectors(plain(asked[1]))
    assert asked[2] in SERIES[selector.name][0]
    assert {matcher.name for matcher in selector.matchers.matchers} <= SERIES[selector.name][0]


@each_board
def test_every_variable_is_used_and_every_used_one_exists(board):
    names = {variable["name"] for variable in board["templating"]["list"]}
    asked = json.dumps([board["panels"], board["annotations"]])
    used = set(re.findall(r"\$\{?(\w+)", asked)) - GLOBALS
    assert used == names


# --- panels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_a_panel_says_what_it_shows(board, panel):
    assert panel["title"]
    assert len(panel["description"]) > 20
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["targets"]
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    assert panel["pluginVersion"] == "10.0.0"
    overrides = [
        p["value"] for o in panel["fieldConfig"]["overrides"] for p in o["properties"] if p["id"] == "unit"
    ]
    assert {panel["fieldConfig"]["defaults"]["unit"], *overrides} <= UNITS


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_nothing_is_stacked(board, panel):
    stacking = panel["fieldConfig"]["defaults"]["custom"].get("stacking", {"mode": "none"})
    assert stacking["mode"] == "none"
    assert panel["options"].get("stacking", "none") == "none"


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_what_a_legend_names_is_in_the_answer(board, panel):
    for target in panel["targets"]:
        kept = labels_kept(promql.parse(plain(target["expr"])))
        if kept is not None:
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= kept, target["expr"]


def labels_kept(node: Any) -> set[str] | None:
    """Labels that an answer has; None where they can't be told from the query alone."""
    if isinstance(node, promql.AggregateExpr):
        return set(node.modifier.labels) if node.modifier else set()
    if isinstance(node, promql.VectorSelector):
        return SERIES[node.name][0]
    if isinstance(node, promql.BinaryExpr):
        to_the_right = node.modifier is not None and "OneToMany" in str(node.modifier.card)
        many = [node.rhs] if to_the_right else [node.lhs, node.rhs]
        return next(filter(None, map(labels_kept, many)), None)
    if isinstance(node, promql.ParenExpr | promql.UnaryExpr):
        return labels_kept(node.expr)
    if isinstance(node, promql.Call):
        of = next(filter(None, map(labels_kept, node.args)), set())
        return None if node.func.name in {"time", "vector"} else of - {"le"}
    return None


def family_of(panel: dict[str, Any]) -> set[str]:
    """Families, beside the default one, of the metrics that a panel asks for."""
    names = {name for target in panel["targets"] for name in metrics_of(plain(target["expr"]))}
    # What a rule records of a family's metric is there where the family is.
    names |= {of for name in names & RECORDED.keys() for of in metrics_of(RECORDED[name].expr)}
    return {BY_NAME[name].family for name in names if name in BY_NAME} - {"default", TRIGGER, INJECTOR}


@each_board
def test_what_needs_a_family_says_so_in_a_folded_row(board):
    folded = [inner for panel in board["panels"] for inner in panel.get("panels", ())]
    assert all(
        panel["collapsed"] == bool(panel["panels"]) for panel in board["panels"] if panel["type"] == "row"
    )
    for panel in panels(board):
        said = re.findall(r"Needs family (\w+) under `metrics:`", panel["description"])
        assert family_of(panel) == set(said), panel["title"]
        said += re.findall(r"Needs `driftgauge (?:trigger|injector)`", panel["description"])
        assert bool(said) == (panel in folded), panel["title"]


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_a_link_keeps_the_time_and_what_is_chosen_and_takes_what_was_clicked(board, panel):
    own = {variable["name"] for variable in board["templating"]["list"]}
    for link in panel["fieldConfig"]["defaults"]["links"]:
        uid, asked = re.fullmatch(r"/d/([a-z-]+)\?(.*)", link["url"]).groups()
        target = {variable["name"] for variable in BOARDS[uid]["templating"]["list"]}
        time, *rest = asked.split("&")
        assert time == "${__url_time_range}"
        kept = [re.fullmatch(r"\$\{(\w+):queryparam\}", part) for part in rest]
        assert {"datasource", "job", "namespace"} <= {match[1] for match in kept if match} <= own & target
        for part in (part for part, match in zip(rest, kept, strict=True) if not match):
            name, source, label = re.fullmatch(
                r"var-(\w+)=\$\{([\w.]+)\.(\w+):percentencode\}", part
            ).groups()
            assert name in target
            assert source == ("__data.fields" if panel["type"] == "table" else "__field.labels")
            assert label not in hidden(panel)
            for query in panel["targets"]:
                assert label in labels_kept(promql.parse(plain(query["expr"])))


def hidden(panel: dict[str, Any]) -> set[str]:
    """Columns that a table leaves out: a link can't read them."""
    return {
        name for change in panel["transformations"] for name in change["options"].get("excludeByName", ())
    }


@pytest.mark.parametrize(
    "alert", list(shipped_rules().alerts()), ids=lambda alert: f"{alert.name} {alert.severity}"
)
def test_an_alerts_link_fills_variables_that_its_dashboard_has(alert):
    url = re.sub(r"\{\{.*?\}\}", "x", alert.annotations["dashboard_url"])
    uid, asked = re.fullmatch(r"/d/([a-z-]+)\??(.*)", url).groups()
    names = {variable["name"] for variable in BOARDS[uid]["templating"]["list"]}
    assert {part.split("=")[0].removeprefix("var-") for part in asked.split("&") if part} <= names


# --- queries --------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_series_and_labels_that_exist(query):
    for selector in selectors(plain(query)):
        assert selector.name in SERIES, selector.name
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= SERIES[selector.name][0], f"{selector.name} has no {asked - SERIES[selector.name][0]}"
    allowed = set().union(*(SERIES[name][0] for name in metrics_of(plain(query)))) | {"series"}
    assert grouped_labels(plain(query)) <= allowed


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_only_for_the_jobs_and_namespaces_that_are_chosen(query):
    for selector in re.findall(r"\w+\{[^}]*\}", query):
        if selector.startswith(("driftgauge_trigger_", "driftgauge_injector_")):
            assert "job=" not in selector, "they are scraped by jobs of their own"
            continue
        assert 'job=~"$job"' in selector
        assert 'namespace=~"$namespace"' in selector


@pytest.mark.parametrize("query", QUERIES)
def test_counters_and_nothing_else_are_rated_over_the_interval_or_the_time_shown(query):
    rated = []
    for node in walk(promql.parse(plain(query))):
        if isinstance(node, promql.Call) and node.func.name in {"rate", "increase"}:
            (matrix,) = node.args
            rated.append(matrix.vector_selector.name)
    asked = [s.name for s in selectors(plain(query))]
    assert sorted(rated) == sorted(name for name in asked if SERIES[name][1])
    for function, span in re.findall(r"\b(rate|increase)\([^][]*\[([^]]+)\]", query):
        assert (function, span) in {("rate", "$__rate_interval"), ("increase", "$__range")}


# --- limits ---------------------------------------------------------------------------------------


T = thresholds
LIMITS = [
    # Dashboard, panel, its limits, and the alert that stands on the last of them.
    ("model", "Evaluation age", [T.STALE_EVALUATION_SECONDS], None),
    ("model", "Last prediction", [T.SILENT_PREDICTIONS_SECONDS], "ModelWithoutPredictions"),
    ("model", "Last outcome", [T.SILENT_OUTCOMES_SECONDS], "ModelWithoutOutcomes"),
    ("model", "Window covered", [T.LEAST_WINDOW_COVERED], None),
    (
        "model",
        "Features that have drifted",
        [T.MANY_DRIFTED_FEATURES, T.MOST_DRIFTED_FEATURES],
        "ModelManyFeaturesDrifted",
    ),
    (
        "model",
        "Share of features that have drifted",
        [T.MANY_DRIFTED_FEATURES, T.MOST_DRIFTED_FEATURES],
        "ModelManyFeaturesDrifted",
    ),
    (
        "fleet",
        "Share of features that have drifted",
        [T.MANY_DRIFTED_FEATURES, T.MOST_DRIFTED_FEATURES],
        "ModelManyFeaturesDrifted",
    ),
    ("model", "PSI of score and prediction", [T.PSI_MOVED, T.PSI_MOVED_FAR], None),
    ("model", "PSI of the features that moved most", [T.PSI_MOVED, T.PSI_MOVED_FAR], None),
    ("model", "ROC AUC", [T.ROC_AUC_NEAR_CHANCE], "ModelRanksByChance"),
    ("model", "R2", [T.R2_OF_THE_MEAN], "ModelWorseThanItsMean"),
    (
        "model",
        "Accuracy less the reference's",
        [-T.QUALITY_FELL_FAR, -T.QUALITY_FELL],
        "ModelQualityBelowReference",
    ),
    (
        "model",
        "ROC AUC less the reference's",
        [-T.QUALITY_FELL_FAR, -T.QUALITY_FELL],
        "ModelQualityBelowReference",
    ),
    ("model", "Shift of the outcome rate", [-T.BASE_RATE_MOVED, T.BASE_RATE_MOVED], "ModelBaseRateShifted"),
    ("model", "Outcomes known", [T.LEAST_OUTCOME_COVERAGE], "ModelOutcomesMissing"),
    ("fleet", "Outcomes that are known", [T.LEAST_OUTCOME_COVERAGE], "ModelOutcomesMissing"),
    ("model", "Outcomes without a prediction", [T.MOST_ORPHANS], "ModelOutcomesOrphaned"),
    ("model", "Prediction errors", [0.01], "ModelErrorBudgetBurns"),
    ("model", "Errors against the budget", [0.01, 0.06, 0.144], "ModelErrorBudgetBurns"),
    ("model", "Slower than 0.5 s against the budget", [0.01, 0.06, 0.144], "ModelLatencyBudgetBurns"),
    ("model", "Latency", [T.LATENCY_OBJECTIVE_SECONDS], None),
    ("model", "Predictions that break the schema", [T.MOST_VIOLATIONS], "ModelSchemaBroken"),
    ("feature", "PSI over time", [T.PSI_MOVED, T.PSI_MOVED_FAR], None),
    ("feature", "KS over time", [RULES.ks], None),
    ("feature", "Mean shift over time", [-RULES.mean_shift_sd, RULES.mean_shift_sd], None),
    ("feature", "Missing over time", [T.MOST_MISSING_BEYOND_REFERENCE], "ModelFeatureMissing"),
    ("feature", "Unseen over time", [T.MOST_MISSING_BEYOND_REFERENCE], "ModelFeatureUnseen"),
    ("sidecar", "Share of records rejected", [T.MOST_REJECTED], "DriftgaugeRecordsRejected"),
    ("sidecar", "Write-ahead log", [T.MOST_LOG_BYTES], "DriftgaugeStoreLogGrows"),
    ("sidecar", "Age of the evaluation by model", [T.STALE_EVALUATION_SECONDS], None),
    ("sidecar", "Memory of its limit", [T.MEMORY_SHRINKS, T.MEMORY_SHEDS], None),
    ("sidecar", "Time of a scrape", [T.LONG_SCRAPE_SECONDS], None),
    ("sidecar", "Certificate holds for", [T.LEAST_CERTIFICATE_DAYS * 86400], None),
]


@pytest.mark.parametrize(("uid", "title", "limits", "alert"), LIMITS, ids=str)
def test_a_panel_draws_the_limits_of_the_alerts(uid, title, limits, alert):
    (panel,) = [panel for panel in panels(BOARDS[f"driftgauge-{uid}"]) if panel["title"] == title]
    defaults = panel["fieldConfig"]["defaults"]
    assert [step["value"] for step in defaults["thresholds"]["steps"]] == [None, *limits]
    if panel["type"] == "timeseries":
        assert defaults["custom"]["thresholdsStyle"] == {"mode": "line"}
    if alert is not None:
        told = [a.expr for a in shipped_rules().alerts() if a.name == alert]
        assert any(re.search(rf"(?<![\d.]){re.escape(f'{limits[-1]:.15g}')}(?![\d.])", expr) for expr in told)


def test_the_floor_of_psi_is_the_one_of_verdicts():
    assert RULES.psi == thresholds.PSI_MOVED


@each_board
def test_every_trend_with_a_limit_is_listed(board):
    """Or a limit would be drawn that nobody compares with the alerts'."""
    listed = {(f"driftgauge-{uid}", title) for uid, title, _, _ in LIMITS}
    for panel in panels(board):
        defaults = panel["fieldConfig"]["defaults"]
        if panel["type"] == "timeseries" and len(defaults["thresholds"]["steps"]) > 1:
            assert (board["uid"], panel["title"]) in listed | BY_NATURE, panel["title"]


# Limits that follow from what is counted, or repeat a panel that is listed.
BY_NATURE = {
    ("driftgauge-fleet", "Alerts firing by model"),
    ("driftgauge-fleet", "PSI of score and prediction by model"),
    ("driftgauge-fleet", "Prediction errors"),
    ("driftgauge-fleet", "Latency"),
    ("driftgauge-fleet", "Errors against the budget"),
    ("driftgauge-fleet", "Slower than 0.5 s against the budget"),
    ("driftgauge-model", "Are the labelled like the rest?"),
    ("driftgauge-model", "Are the versions asked alike?"),
    ("driftgauge-model", "PSI of all replicas' answers"),
    ("driftgauge-model", "ROC AUC of all replicas"),
    ("driftgauge-model", "R2 of all replicas"),
    ("driftgauge-sidecar", "Series left out"),
    ("driftgauge-sidecar", "Share of ids kept for the join"),
}
