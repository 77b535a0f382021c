"""Kept predictions remember the coarse bins of their features until their outcome comes."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge import reference as references
from driftgauge.config import Concept, Task
from driftgauge.config import Outcomes as OutcomesConfig
from driftgauge.monitor import binned, expiry
from driftgauge.monitor import outcomes as outcomes_module
from driftgauge.monitor import predictions as predictions_module
from driftgauge.sketches.coarse import MISSING_CODE, UNKNOWN_CODE
from driftgauge.sketches.learning import Learning
from driftgauge.sketches.quality import Joined
from driftgauge.snapshot import ReferenceState
from driftgauge.windows import Part

TEXTS = ["a"] * 700 + ["b"] * 300


def reference(shift=0.0, texts=TEXTS):
    values = np.linspace(0.0, 100.0, 1000)[None, :] + shift
    row = Learning(5).row(("f:x",), values, {"f:c": texts}, 1000, {"f:x": 50.0})
    return references.build({0: row}, first=0.0, last=1.0, declared={}, category_limit=5)


def test_before_a_reference_nothing_has_bins(joins):
    held = driver()
    held.send(sent(["a"], [1.0], ["a"]))
    held.send(outcomes(["a"], [1]))
    assert joins[-1].bins is None


def driver(**model):
    return Driver(**{"task": Task.BINARY, **model})


def fixed(held, shift=0.0):
    held.version().fix_reference(Part.INPUTS, reference(shift), ReferenceState.FROZEN)


def sent(ids, x, c, **more):
    return predictions(
        ids, [WALL - 60.0] * len(ids), numeric={"x": x}, categorical={"c": c}, score=[0.5] * len(ids), **more
    )


@pytest.fixture
def joins(monkeypatch):
    """The bins of every record that is joined."""
    seen = []

    def watched(*fields, **named):
        seen.append(Joined(*fields, **named))
        return seen[-1]

    for module in (outcomes_module, predictions_module, expiry):
        monkeypatch.setattr(module, "Joined", watched)
    return seen


def test_a_later_outcome_finds_the_bins_of_its_prediction(joins):
    held = driver()
    held.send(sent(["before"], [1.0], ["a"]))
    fixed(held)
    held.send(sent(["low", "high", "none"], [1.0, 99.0, np.nan], ["a", "b", None]))
    held.send(outcomes(["none", "high", "low", "before"], [1, 1, 0, 0]))
    assert held.version().inputs.codes.keys == ("f:x", "f:c")
    assert joins[-1].bins.tolist() == [
        [MISSING_CODE, 9, 0, UNKNOWN_CODE],
        [MISSING_CODE, 1, 0, UNKNOWN_CODE],
    ]
    assert joins[-1].at(np.array([2, 0])).bins.tolist() == [[0, MISSING_CODE], [0, MISSING_CODE]]


def test_a_prediction_that_brings_or_finds_its_outcome_has_bins_too(joins):
    held = driver()
    held.send(sent(["a"], [1.0], ["a"]))
    fixed(held)
    held.send(outcomes(["late"], [1]))
    held.send(
        sent(["own", None, "late", "waits"], [1.0, 99.0, 50.0, 50.0], ["a"] * 4, outcome=[1, 0, None, None])
    )
    assert joins[-1].bins[0].tolist() == [0, 9, joins[-1].bins[0, 2]]
    assert joins[-1].bins[0, 2] in (4, 5)


def test_bins_of_another_reference_count_as_unknown(joins):
    held = driver()
    held.send(sent(["first"], [1.0], ["a"]))
    fixed(held)
    held.send(sent(["old"], [1.0], ["a"]))
    fixed(held, shift=500.0)
    held.send(sent(["new"], [510.0], ["a"]))
    held.send(outcomes(["old", "new"], [1, 1]))
    assert joins[-1].bins.tolist() == [[UNKNOWN_CODE, 1], [UNKNOWN_CODE, 0]]


def test_silence_at_the_horizon_has_the_bins_too(joins):
    held = driver(outcomes=OutcomesConfig(at_horizon="0"))
    held.send(sent(["a"], [1.0], ["a"]))
    fixed(held)
    held.send(sent(["b"], [99.0], ["b"]))
    version = held.version()
    rows = [np.concatenate([piece.rows for piece in held.shelf.scan(version.plain.log)])]
    expiry.expired_predictions(held.model(), version, version.plain, WALL, rows)
    assert joins[-1].bins.tolist() == [[UNKNOWN_CODE, 9], [UNKNOWN_CODE, 1]]


def test_no_features_no_bytes():
    none, some = driver(concept=Concept(features=0)), driver()
    for held in (none, some):
        held.send(sent(["a"], [1.0], ["a"]))
        fixed(held)
        held.send(sent(["b"], [1.0], ["a"]))
    assert none.version().plain.dtype.itemsize == 44
    assert some.version().plain.dtype.itemsize == 44 + 4 + 16
    assert none.version().inputs.codes is None
    assert binned.read(none.version(), none.version().plain.find(np.zeros((0, 2), np.uint64))[1]) is None
    assert none.model().form != some.model().form


def test_a_limit_of_features_below_the_wanted_ones_binds():
    config = driver().config
    held = Driver(replace(config, limits=replace(config.limits, features=3)))
    held.send(sent(["a"], [1.0], ["a"]))
    assert held.version().plain.dtype["bins"].shape == (2,)
