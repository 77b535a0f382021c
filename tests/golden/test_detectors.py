"""The detectors against River's: the examples of its documentation, and its detections on known streams.

River 0.23.0, default parameters, each detector reset after a detection; see tests/data/error_streams.
Every place must agree. HDDM-W has one difference, of River's weighted mean, which a subclass here makes
good: a stream that begins with 0 restarts that mean at its first 1, and fires too soon. KSWIN draws at random: given the draws of Python's generator, which River uses,
it too agrees at every place.
"""

import csv
import gzip
import json
import random

import numpy as np
import pytest

from driftgauge.stats.detectors import DDM, EDDM, HDDMA, HDDMW, KSWIN, Adwin, PageHinkley

SYNTHETIC = (
    "stationary_p02",
    "abrupt_01_03",
    "abrupt_02_05",
    "small_010_015",
    "improve_04_01",
    "gradual_01_04",
    "three_changes",
    "normal_mean_0_1",
    "normal_var_1_3",
    "abs_error_exp",
)


def rivers_draws(count):
    """What River's KSWIN(seed=42) draws at its first *count* tests since a reset."""
    generator = random.Random(42)
    return np.array([generator.sample(range(70), 30) for _ in range(count)])


class RiversHDDMW(HDDMW):
    """With River's weighted mean, which takes a mean of 0 for one without values."""

    nothing = 0.0


@pytest.fixture(scope="module")
def made():
    """The detectors by the name that the tables give them."""
    draws = rivers_draws(10_000)
    return {
        "river.ADWIN": Adwin,
        "river.PageHinkley": PageHinkley,
        "river.DDM": DDM,
        "river.EDDM": EDDM,
        "river.HDDM_A": HDDMA,
        "river.HDDM_W": RiversHDDMW,
        "river.KSWIN": lambda: KSWIN(samples=draws),
    }


def columns(path):
    with gzip.open(path, "rt") as file:
        rows = list(csv.reader(file))
    return dict(zip(rows[0], np.array(rows[1:], np.float64).T, strict=True))


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def streams(data):
    found = {}
    for kind in SYNTHETIC:
        by_seed = columns(data / "error_streams" / f"streams_{kind}.csv.gz")
        found |= {(kind, seed.removeprefix("s")): values for seed, values in by_seed.items()}
    classifiers = columns(data / "error_streams" / "classifier_errors.csv.gz")
    for name, values in classifiers.items():
        stream, _, seed = name.rpartition(".s")
        found[stream, seed] = values
    return found


def places(text):
    return [int(each) for each in text.split()]


def check(made, row, values):
    found = made[row["detector"]]().update(values)
    expected = places(row["detections"])
    assert list(found.detections)[: len(expected)] == expected
    return found


def test_every_detection_of_river_on_the_streams_with_known_changes(data, made, streams):
    compared = dict.fromkeys(made, 0)
    for row in rows(data / "error_streams" / "detections.csv"):
        if row["detector"] in made:
            found = check(made, row, streams[row["stream"], row["seed"]])
            listed = places(row["detections"])
            delays = [each for each in row["delays"].split() if each]
            assert len(found.detections) == len(listed) or len(listed) == 20, row
            assert len(delays) <= len(listed)
            if row["first_warning"]:
                assert found.warnings[0] == int(row["first_warning"])
            compared[row["detector"]] += 1
    assert compared == dict.fromkeys(made, 102) | {
        "river.ADWIN": 132,
        "river.PageHinkley": 132,
        "river.KSWIN": 6,
    }


@pytest.mark.needs_elec2
def test_every_detection_of_river_on_elec2(elec2, made):
    errors = columns(elec2 / "errors_elec2.csv.gz")
    compared = 0
    for row in rows(elec2 / "detections.csv"):
        if row["detector"] in made:
            found = check(made, row, errors[row["model"]])
            assert len(found.detections) == int(row["count"])
            compared += 1
    assert compared == 3 * 6


EXAMPLES = {
    "ADWIN": Adwin,
    "PageHinkley": PageHinkley,
    "KSWIN": lambda: KSWIN(alpha=0.0001, samples=rivers_draws(2_000)),
    "DDM": DDM,
    "EDDM": lambda: EDDM(warning=0.8, drift=0.75),
    "HDDM_A": HDDMA,
    "HDDM_W": HDDMW,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_rivers_documentation(data, name):
    document = json.loads((data / "error_streams" / "documented_examples.json").read_text())
    row = next(each for each in document["published"] if each["detector"] == name)
    found = EXAMPLES[name]().update(np.array(document["streams"][row["stream"]]))
    assert list(found.detections) == row["drifts"]
    drifts = iter(found.detections)
    ends = [*drifts, len(document["streams"][row["stream"]])]
    begins = [-1, *found.detections]
    firsts = [next((w for w in found.warnings if a < w < b), None) for a, b in zip(begins, ends, strict=True)]
    assert [w for w in firsts if w is not None] == row["warnings_first_of_each_run"]
