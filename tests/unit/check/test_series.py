"""The estimate of a scrape, beside what real records make of the same configuration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge import reference as references
from driftgauge.check.series import heads_bytes, live_weight, rows, version_weight
from driftgauge.check.shape import shape_of
from driftgauge.config import (
    Against,
    Config,
    Family,
    Feature,
    FeatureKind,
    Limits,
    Model,
    Outcomes,
    Task,
    Value,
)
from driftgauge.evaluate import evaluate
from driftgauge.exposition.live import COMPONENTS, Live
from driftgauge.exposition.text import Exposition
from driftgauge.metrics import LIVE_METRICS, PREFIX, SNAPSHOT_METRICS
from driftgauge.monitor import judging
from driftgauge.reference import relation as relations
from driftgauge.reference.loss import learn
from driftgauge.reference.verdicts import JUDGED, RelationJudged
from driftgauge.sketches.coarse import CoarseCodes
from driftgauge.sketches.concept import Concept
from driftgauge.sketches.inputs import Inputs
from driftgauge.sketches.learning import Learning
from driftgauge.sketches.quality import BinaryQuality, Groups, Joined, MulticlassQuality, RegressionQuality

N = 3_989  # a prime: shares of it have all their digits
VALUES = 4
VERSION = "20261122"
CLASSES = ("blue", "green", "red")
FEATURES = ("customer_age", "income", 'weird "name"\nwith\\marks')


def columns(rng, n):
    """Values of every fate: numbers, missing, not finite, known and unknown texts."""
    numeric = {"f:" + name: rng.normal(size=n) * 10**i for i, name in enumerate(FEATURES)}
    for values in numeric.values():
        values[:3] = np.nan, np.inf, 1e9
    plan = rng.choice([f"plan{i}" for i in range(12)], n).tolist()
    plan[0] = None
    return numeric, {"f:plan": plan, "f:code": [f"{i:08d}" for i in range(n)]}


def reference_file(path, task, rng):
    numeric, texts = columns(rng, N)
    if task is Task.REGRESSION:
        numeric["o:prediction"] = rng.normal(size=N) * 50
    else:
        numeric["o:score"] = rng.random(N)
        texts["o:prediction"] = rng.choice(["0", "1"] if task is Task.BINARY else CLASSES, N).tolist()
    row = Learning(10).row(tuple(numeric), np.array(list(numeric.values())), texts, N, {})
    made = references.build(
        dict.fromkeys(range(9), row),
        first=0.0,
        last=9 * 86_400.0 - 1,
        declared={"code": Feature(kind=FeatureKind.IDENTIFIER)},
        category_limit=50,
    )
    made = replace(made, relation=relation(made, task, rng))
    if task is Task.REGRESSION:
        made = replace(made, loss=expected_loss(made, numeric, texts, rng))
    path.write_bytes(references.to_json(made))
    return made


def expected_loss(made, numeric, texts, rng):
    inputs = made.only("f:")
    coded = CoarseCodes(Inputs(inputs.bins), inputs.id, (), 32)
    names = tuple(key for key in numeric if key.startswith("f:"))
    codes = coded.codes(names, np.array([numeric[n] for n in names]), texts, N)
    return learn(coded.keys, codes, numeric["o:prediction"], rng.normal(size=N))


def relation(made, task, rng):
    """What came out in nine days: as many outcomes as the current ones, of every class."""
    bins = Inputs(made.only("f:").bins)
    codes = CoarseCodes(bins, "", (), 32)
    groups = Groups(0, 0)
    kinds = {Task.BINARY: BinaryQuality(groups), Task.REGRESSION: RegressionQuality(groups, 0.0)}
    quality = kinds.get(task) or MulticlassQuality(groups, len(CLASSES) + 2)
    sketch = Concept.beside(quality, len(codes.keys))
    days, total = [], quality.zero()
    for _ in range(9):
        numeric, texts = columns(rng, N)
        known = len(CLASSES) + 2 if task is Task.MULTICLASS else 2
        numbers = rng.normal(size=(2, N)) * 50 if task is Task.REGRESSION else rng.integers(0, known, (2, N))
        scores = rng.dirichlet(np.ones(known), N) if task is Task.MULTICLASS else np.zeros((N, 0))
        records = Joined(
            numbers[0].astype(float), numbers[1].astype(float), rng.random(N), scores,
            np.zeros((0, N), np.uint8), np.zeros(N),
            bins=codes.codes(tuple(numeric), np.array(list(numeric.values())), texts, N),
        )  # fmt: skip
        days.append(sketch.row(records))
        total.add(quality.row(records))
    names = {Task.BINARY: ("0", "1"), Task.REGRESSION: ()}.get(task, (*CLASSES, "new", "other"))
    return relations.of_rows(codes.keys, names, sketch, days, quality, total, (0.0, 9 * 86_400.0))


def labels(task, rng):
    if task is Task.REGRESSION:
        return (rng.normal(size=N) * 50).tolist(), (rng.normal(size=N) * 50).tolist()
    names = (0, 1) if task is Task.BINARY else (*CLASSES, "new", "newer")
    return [names[i] for i in rng.integers(0, len(names), N)], [
        names[i] for i in rng.integers(0, len(names), N)
    ]


def _scores(rng):
    """Scores of every tenth: a record's highest is seldom low."""
    values = rng.random(N)
    values[::25] = np.resize(np.linspace(0.05, 0.95, 10), len(values[::25]))
    return values


def in_full_swing(config, task, rng):
    """A Snapshot of one version after six hours of everything; its outcomes are complete."""
    driver = Driver(config)
    numeric, texts = columns(rng, N)
    texts["f:plan"][1] = "unheard of"
    predicted, happened = labels(task, rng)
    score = rng.random(N)
    predicted[5], score[5] = None, np.nan
    segments = {
        name: [f"value_{i % VALUES:02d}" if i < 9 or i % 9 else f"rare{i}" for i in range(N)]
        for name in ("plan", "region")
    }
    given = None if task is Task.REGRESSION else score
    scores = (
        {name: np.where(np.arange(N) == 5, np.nan, _scores(rng)) for name in (*CLASSES, "new")}
        if task is Task.MULTICLASS
        else None
    )
    times = np.linspace(WALL - 6 * 3600, WALL - 30, N)
    times[0] = WALL - 24 * 3600
    ids = [f"p{i}" for i in range(N)]
    driver.send(
        predictions(
            ids, times, model="churn-2026", version=VERSION,
            numeric={k[2:]: v for k, v in numeric.items()}, categorical={k[2:]: v for k, v in texts.items()},
            score=given, scores=scores, prediction=predicted, segments=segments,
        )
    )  # fmt: skip
    driver.send(outcomes(ids, happened, times + 1, model="churn-2026"))
    # The model is right from now on, which the detectors on its errors find.
    right = [happened[0]] * N
    later = {"times": np.full(N, WALL - 30), "model": "churn-2026", "version": VERSION}
    driver.send(outcomes([f"q{i}" for i in range(N)], right, prediction=right, **later))
    # Once an hour more has closed the window of a day is covered whole.
    judged = judging.step(driver.version("churn-2026", VERSION), WALL + 3600)
    driver.models.take((judged,))
    judge_relations(driver.version("churn-2026", VERSION).relating)
    view = with_reference_outcomes(driver.view(VERSION, name="churn-2026"))
    return evaluate(
        [view],
        WALL,
        0.01,
        segments=Family.SEGMENTS in config.metrics,
        schema=Family.SCHEMA in config.metrics,
        concept=Family.CONCEPT in config.metrics,
    )


def with_reference_outcomes(view):
    """*view* with a reference whose outcomes are those of its longest window: all can be estimated."""
    row = view.windows[-1].matured
    relation = replace(view.related.reference, quality=view.quality, quality_row=row, outcomes=N)
    if view.task is Task.MULTICLASS:
        relation = replace(relation, classes=(*view.classes, "other"))
    return replace(view, related=replace(view.related, reference=relation))


def judge_relations(relating):
    """Verdicts on the long window, as the writer takes them once it is covered."""
    table = np.zeros(len(relating.reference.keys), JUDGED)
    relating.take([RelationJudged("1d", 1, relating.reference_id, table.tobytes())])


def render(snapshot, config):
    version = snapshot.versions[0]
    filled = structs.replace(version.state, series=1234.0, series_dropped=0.0)  # as the process does it
    snapshot = replace(snapshot, versions=(replace(version, state=filled),))
    return Exposition(tuple(config.metrics), config.limits.series).render(snapshot)


@pytest.mark.parametrize(
    "families", [(), (Family.DISTANCES,), tuple(Family)], ids=["default", "distances", "all"]
)
@pytest.mark.parametrize("task", list(Task))
def test_the_estimate_is_what_a_render_holds(tmp_path, task, families):
    rng = np.random.default_rng(20261122)
    path = tmp_path / "reference.json"
    made = reference_file(path, task, rng)
    values = {Task.BINARY: {"false_negative": -120.1}, Task.MULTICLASS: {"wrong": -1 / 3}}
    model = Model(
        task=task, reference=path, windows=(3600.0, 86400.0), segments=("plan", "region"),
        outcomes=Outcomes(matures_after=60.0),
        value=Value("EUR", **values.get(task, {"over": -0.1, "under": -0.3})),
    )  # fmt: skip
    limits = Limits(segment_values=VALUES, classes=4, versions=1)
    config = Config(models={"churn-2026": model}, limits=limits, metrics=families)
    text = render(in_full_swing(config, task, rng), config)
    assert text.invalid == 0
    sampled = [line for line in text.text(openmetrics=False).decode().split("\n") if line and line[0] != "#"]

    weight = version_weight(shape_of("churn-2026", model, config, made), families)
    assert weight.series == len(sampled) == text.counts[0].exported
    assert weight.bytes == pytest.approx(sum(len(line.encode()) + 1 for line in sampled), rel=0.05)


def test_the_snapshot_has_no_row_that_the_estimate_does_not_know():
    made = set()
    for task in Task:
        model = Model(
            task=task,
            segments=("plan",),
            segment_drift=("age",),
            features={"age": Feature()},
            value=Value("EUR"),
            against=tuple(Against),
        )
        config = Config(models={"m": model})
        made |= {row.kind for row in rows(shape_of("m", config.models["m"], config, None), tuple(Family))}
    assert made == {metric.row for metric in SNAPSHOT_METRICS}


def test_earlier_windows_are_counted_where_they_are_configured():
    def series(*against, families=(Family.AGAINST,)):
        model = Model(task=Task.REGRESSION, features={"x": Feature(), "c": Feature(FeatureKind.CATEGORICAL)},
                      windows=(3600.0, 7 * 86400.0), against=(Against.REFERENCE, *against))  # fmt: skip
        return version_weight(shape_of("m", model, Config(models={"m": model}), None), families).series

    plain = series()
    each = 7 + 3 + 7  # x, c and the prediction: a category has psi, distance and samples
    assert series(Against.PREVIOUS_WINDOW) == plain + 2 * each
    assert series(Against.SAME_HOURS_LAST_WEEK) == plain + each, "not for 7d"
    assert series(Against.PREVIOUS_WINDOW, families=()) == series(families=())


def test_series_of_the_process_are_those_that_it_begins_with():
    live = Live()
    for component in COMPONENTS:
        live.gauge(PREFIX + "component_up", component).set(1)
    for result in ("restored", "empty", "damaged"):
        live.gauge(PREFIX + "store_restored", result).set(1)
    live.gauge(PREFIX + "build_info", "0.1.0", "3.11.2", "3.40.1").set(1)
    for path in ("/v1/predictions", "/v1/outcomes", "/metrics", "/healthz", "/"):
        live.histogram(PREFIX + "request_duration_seconds", path).observe(0.01)
    for metric in LIVE_METRICS:
        if metric.type == "gauge" and not metric.labels and "process" not in metric.name:
            live.gauge(metric.name).set(1)
    before = samples(live)
    assert live_weight(()).series == len(before)
    assert live_weight(()).bytes == pytest.approx(size(before), rel=0.1)
    live.begin("bike-demand", VERSION)
    live.gauge(PREFIX + "outcomes_waiting", "bike-demand").set(0)
    known = {line.rpartition(" ")[0] for line in before}
    more = [line for line in samples(live) if line.rpartition(" ")[0] not in known]
    of_model = live_weight(("model",)) + live_weight(("model", "model_version"))
    assert of_model.series == len(more)
    assert of_model.bytes == pytest.approx(size(more), rel=0.1)


def samples(live):
    return [line for line in live.text(openmetrics=False).decode().split("\n") if line and line[0] != "#"]


def size(lines):
    return sum(len(line.encode()) + 1 for line in lines)


def test_heads_are_those_of_a_full_text():
    from driftgauge.exposition.lines import heads

    metrics = (*SNAPSHOT_METRICS, *LIVE_METRICS)
    assert heads_bytes(tuple(Family)) == pytest.approx(sum(len(heads(m)[0]) for m in metrics), abs=40)


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("segments", [(), ("plan", "region", "channel")])
@pytest.mark.parametrize(
    ("numeric", "categorical", "most"),
    [(25, 0, 1_800), (20, 5, 1_800), (0, 25, 1_800), (200, 0, 9_900), (160, 40, 9_900), (0, 200, 9_900)],
)
def test_the_default_families_stay_below_their_budget(task, segments, numeric, categorical, most):
    """25 features of any kind under 1,800 series and 200 under 9,900, with 20 classes and full segment columns;
    each mix between two lies between them.
    """
    features = {f"number_{i}": Feature(FeatureKind.NUMERIC) for i in range(numeric)}
    features |= {f"text_{i}": Feature(FeatureKind.CATEGORICAL) for i in range(categorical)}
    config = Config(models={"m": Model(task=task, features=features, segments=segments)})
    shape = shape_of("m", config.models["m"], config, None)
    assert len(shape.groups) == 1 + 11 * len(segments)
    assert len(shape.classes) == {Task.BINARY: 2, Task.MULTICLASS: 21, Task.REGRESSION: 0}[task]
    assert version_weight(shape, ()).series < most


@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION])
def test_only_a_value_for_each_segment_takes_more(task):
    """`value:` is asked for: with full segment columns it takes some hundred series more."""
    features = {f"number_{i}": Feature() for i in range(25)}
    worth = {Task.BINARY: {"false_negative": -120.0}, Task.REGRESSION: {"over": -1.0}}[task]
    for segments, most in (((), 1_800), (("plan", "region", "channel"), 2_300)):
        model = Model(task=task, features=features, segments=segments, value=Value("EUR", **worth))
        config = Config(models={"m": model})
        assert version_weight(shape_of("m", model, config, None), ()).series < most
