"""References made at the start of the demo."""

from __future__ import annotations

import numpy as np
import pytest

from driftgauge.demo import tables
from driftgauge.demo.profiles import reference_of
from driftgauge.reference import from_json, moments, to_json
from driftgauge.sketches.inputs import Inputs


def test_features_score_and_predicted_class_are_referred_to(table):
    reference = reference_of(table)
    assert reference.bins.numeric == ("f:age", "o:score")
    assert reference.bins.categorical == ("f:plan", "o:prediction")
    assert reference.bins.categories == (("a", "b"), ("0", "1"))


def test_a_regression_is_referred_to_by_its_prediction(rentals):
    assert reference_of(rentals).bins.numeric == ("f:age", "o:prediction")


def test_each_day_is_counted_by_itself(table):
    # Ten records, four a day from midnight on.
    reference = reference_of(table)
    assert [(day, int(counts[0].sum())) for day, counts in reference.days] == [(100, 4), (101, 4), (102, 2)]
    assert (reference.first, reference.last) == (table.times[0], table.times[-1])


def test_the_bike_reference_has_the_moments_of_its_rows():
    table = tables.bike().reference
    reference = reference_of(table)
    values = [*table.numeric.values(), table.prediction]
    n, mean, sd = moments(Inputs(reference.bins), reference.row)
    assert n.tolist() == [len(table)] * 6
    assert mean == pytest.approx(np.mean(values, axis=1), rel=1e-12)
    assert sd == pytest.approx(np.std(values, axis=1), rel=1e-9)


def test_the_file_reads_back(table):
    reference = reference_of(table)
    assert from_json(to_json(reference), "loan.reference.json").id == reference.id
