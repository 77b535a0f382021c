"""Violations of the schema: wrong types, missing and new features, values out of the declared range."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, predictions

from driftgauge import reference as references
from driftgauge.app.counting import Counting
from driftgauge.config import DAY, Feature, Limits, Task
from driftgauge.evaluate import evaluate
from driftgauge.exposition.live import Live
from driftgauge.ingest.decoder import Decoder
from driftgauge.records import Kind, Media, Reason, Request, Violation
from driftgauge.sketches.learning import Learning
from driftgauge.snapshot import ReferenceState
from driftgauge.windows import Part

WRONG, MISSING, NEW, OUTSIDE = Violation


def reference(n=500):
    """Features x and c are always there, y and d are missing now and then."""
    rng = np.random.default_rng(1)
    y = np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n))
    texts = {
        "f:c": rng.choice(["a", "b"], n).tolist(),
        "f:d": [None if i % 9 == 0 else "e" for i in range(n)],
    }
    row = Learning(9).row(("f:x", "f:y"), np.array([rng.normal(50, 5, n), y]), texts, n, {"f:x": 50.0})
    return references.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=5)


def driver(*, fixed=True, **features):
    held = Driver(task=Task.BINARY, windows=(DAY,), features=features)
    held.send(predictions(["first"], [WALL - 60], score=[0.5]))
    if fixed:
        held.version().fix_reference(Part.INPUTS, reference(), ReferenceState.GIVEN)
    return held


def batch(n=4, **columns):
    given = {"x": np.full(n, 50.0), "y": np.zeros(n)}
    texts = {"c": ["a"] * n, "d": ["e"] * n}
    for name, values in columns.items():
        (given if isinstance(values, np.ndarray) else texts)[name] = values
    return predictions([None] * n, np.full(n, WALL - 60), numeric=given, categorical=texts)


def found(held, *batches):
    return held.send(*batches).tallies[0].violations


def test_clean_records_break_nothing():
    assert found(driver(), batch()) == {}


def test_a_feature_that_the_reference_never_lacks_is_missing_where_it_lacks():
    nan = np.nan
    sent = batch(
        x=np.array([50.0, nan, nan, 50.0]),
        y=np.array([nan] * 4),
        c=["a", None, "a", "b"],
        d=[None, "e", None, None],
    )
    assert found(driver(), sent) == {("x", MISSING): 2, ("c", MISSING): 1}


def test_a_feature_that_a_batch_does_not_have_at_all_is_missing_in_each_record():
    sent = predictions([None] * 3, np.full(3, WALL - 60), numeric={"y": np.zeros(3)}, categorical={})
    assert found(driver(), sent) == {("x", MISSING): 3, ("c", MISSING): 3}


def test_a_record_without_any_feature_lacks_none():
    nan = np.nan
    sent = batch(
        x=np.array([nan, nan, 1.0, 1.0]), y=np.array([nan] * 4), c=[None, "a", "a", "a"], d=[None] * 4
    )
    assert found(driver(), sent) == {("x", MISSING): 1}


def test_duplicates_are_not_counted_twice():
    held = driver()
    sent = replace(batch(x=np.array([np.nan] * 4)), ids=list("abcd"))
    assert found(held, sent) == {("x", MISSING): 4}
    assert found(held, sent) == {}


def test_while_a_reference_is_learned_no_feature_is_missing():
    assert found(driver(fixed=False), batch(x=np.array([np.nan] * 4))) == {}


def test_the_declared_range_alone_counts_and_not_what_the_reference_held():
    held = driver(x=Feature(min=18.0), y=Feature(max=1.0))
    sent = batch(x=np.array([17.9, 1e9, np.inf, np.nan]), y=np.array([1.1, 1.0, -1e9, -np.inf]))
    assert found(held, sent) == {("x", OUTSIDE): 1, ("x", MISSING): 1, ("y", OUTSIDE): 1}


def test_what_the_decoder_dropped_is_of_a_wrong_type_or_new_and_not_missing_too():
    sent = replace(
        batch(x=np.array([50.0, np.nan, np.nan, 50.0])),
        invalid={("x", Reason.WRONG_TYPE): 1, ("", Reason.OUT_OF_DOMAIN): 3, ("", Reason.TOO_MANY): 2},
    )
    assert found(driver(), sent) == {("x", WRONG): 1, ("x", MISSING): 1, ("", NEW): 5}


def test_bodies_as_they_are_sent_reach_the_counters():
    held = driver(x=Feature(min=18.0))
    decoder = Decoder(Limits(), {}, held.models.schema_of, held.models.only_model)
    bodies = (
        b'{"timestamp": %d, "model_version": "1", "features": {"x": "old", "c": "a", "colour": "red"}}',
        b'{"timestamp": %d, "model_version": "1", "features": {"x": 3, "y": 1}}',
        b'{"timestamp": %d, "model_version": "1", "error": "timeout"}',
    )
    text = b"\n".join(body % (WALL - 60) for body in bodies)
    decoded = decoder.predictions([Request(Kind.PREDICTIONS, Media.NDJSON, text)])
    assert decoded.rejections == ()
    prepared = held.send(*decoded.predictions)
    live = Live()
    counting = Counting(live)
    counting.version("m", "1")
    for tally in prepared.tallies:
        counting.tally(tally)
    lines = live.text(openmetrics=False, names=["driftgauge_schema_violations_total"]).decode().splitlines()
    counts = {
        line.split('violation="')[1].split('"')[0]: float(line.split()[-1])
        for line in lines
        if line[0] != "#"
    }
    assert counts == {"wrong_type": 1, "missing_feature": 1, "new_feature": 1, "out_of_range": 1}


@pytest.mark.parametrize("every", [False, True])
def test_rows_tell_the_features_and_are_all_there_where_the_family_is_on(every):
    held = driver()
    held.send(batch(x=np.array([np.nan] * 4)))
    held.send(batch(x=np.array([np.nan] * 4)))
    snapshot = evaluate([held.view()], WALL, 0.0, schema=every).versions[0]
    rows = {(r.feature, r.violation): r.values for r in snapshot.schema}
    assert rows["x", MISSING] == 8
    assert len(rows) == (4 * 3 + 1 if every else 1)
    assert sum(rows.values()) == 8
    # Of the process, as all counters: a restart begins at 0.
    assert held.restarted().version().violations == {}
