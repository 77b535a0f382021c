"""Coarse codes of single values against the coarse counts that the reference's own sketch gives."""

import numpy as np
import pytest
from tests.property.test_sketches import HOSTILE, NUMBERS, draw_features, inputs_of, inputs_row

from driftgauge.sketches.coarse import (
    MISSING_CODE,
    UNKNOWN_CODE,
    UNSEEN_CODE,
    CoarseCodes,
    packed,
    packed_bytes,
    unpacked,
)
from driftgauge.sketches.inputs import COARSE_CELLS

NAMES = ("f:x", "f:y", "o:score")


def codes_of(coded, batch):
    texts = {"f:a": batch["a"], "f:b": batch["b"]}
    return coded.codes(NAMES, batch["numeric"], texts, batch.n)


@pytest.mark.parametrize("shape", NUMBERS)
@pytest.mark.parametrize("reference", ["normal", "few whole numbers", "every exponent", "hostile"])
def test_codes_are_the_bins_that_the_records_are_counted_in(reference, shape):
    inputs = inputs_of(reference)
    coded = CoarseCodes(inputs, "id", (), 9)
    batch = draw_features(np.random.default_rng(3), 500, shape)
    batch.columns["numeric"][1, : len(HOSTILE)] = HOSTILE
    counted = inputs.coarse(inputs_row(inputs, batch))[coded.places]
    found = codes_of(coded, batch)
    assert len(coded.keys) == len(found) > 0
    for key, row, expected in zip(coded.keys, found, counted, strict=True):
        np.testing.assert_array_equal(np.bincount(row, minlength=COARSE_CELLS), expected, err_msg=key)


def test_a_value_on_an_edge_is_in_the_bin_that_ends_there():
    inputs = inputs_of("normal")
    coded = CoarseCodes(inputs, "id", (), 9)
    place = inputs.bins.numeric.index("f:x")
    edges = inputs.bins.edges[place]
    values = np.concatenate([edges, np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf)])
    found = coded.codes(("f:x",), values[None, :], {}, values.size)[coded.keys.index("f:x")]
    expected = inputs.bins.coarse[place][np.searchsorted(edges, values)]
    np.testing.assert_array_equal(found, expected)


def test_missing_absent_and_not_finite_have_codes_of_their_own():
    coded = CoarseCodes(inputs_of("normal"), "id", (), 9)
    found = coded.codes(("f:x",), np.array([[np.nan, np.inf, -np.inf]]), {"f:b": [None, "zzz", "a"]}, 3)
    rows = dict(zip(coded.keys, found.tolist(), strict=True))
    assert rows["f:x"] == [MISSING_CODE, UNSEEN_CODE, UNSEEN_CODE]
    assert rows["f:y"] == [MISSING_CODE] * 3
    assert rows["f:b"][:2] == [MISSING_CODE, UNSEEN_CODE]
    assert rows["f:b"][2] < MISSING_CODE


def test_declared_features_come_first_and_the_limit_cuts_the_rest():
    inputs = inputs_of("normal")
    assert CoarseCodes(inputs, "id", ("b", "y", "absent"), 2).keys == ("f:b", "f:y")
    assert CoarseCodes(inputs, "id", (), 1).keys == inputs.bins.numeric[:1]


def test_another_reference_or_another_order_has_another_tag():
    inputs = inputs_of("normal")
    tags = {
        CoarseCodes(inputs, reference, declared, limit).tag
        for reference, declared, limit in (("one", (), 9), ("two", (), 9), ("one", ("b",), 9), ("one", (), 2))
    }
    assert len(tags) == 4
    assert 0 not in tags


@pytest.mark.parametrize(("features", "width"), [(1, 1), (2, 1), (25, 13), (25, 16), (0, 4)])
def test_packed_codes_come_back(features, width):
    codes = np.random.default_rng(1).integers(0, 16, (features, 7)).astype(np.uint8)
    cells = packed(codes, width)
    assert cells.shape == (7, width)
    assert width >= packed_bytes(features)
    np.testing.assert_array_equal(unpacked(cells, features), codes)
    assert (unpacked(cells, 2 * width)[features:] == UNKNOWN_CODE).all()
