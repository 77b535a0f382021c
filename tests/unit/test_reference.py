"""References: bins from a sample, exact counts, and a file that a person can read."""

import json
import re

import numpy as np
import pytest

from driftgauge import reference as references
from driftgauge.config import Feature, FeatureKind
from driftgauge.errors import ReferenceFileError
from driftgauge.layout import Row
from driftgauge.sketches.inputs import FINE_BINS, MISSING, NOT_FINITE, NUMERIC_BINS, TAIL_BINS, Inputs
from driftgauge.sketches.learning import CategoryTally, Learning, LearningRow, NumericTally

DAY = 86_400.0


def learned(numeric=None, texts=None, centres=None):
    """One learning row; columns by bare feature name, or by key where it holds a colon."""
    numeric, texts = keyed(numeric or {}), keyed(texts or {})
    n = len(next(iter([*numeric.values(), *texts.values()])))
    matrix = np.array([np.asarray(v, float) for v in numeric.values()]).reshape(len(numeric), n)
    return Learning(100).row(tuple(numeric), matrix, texts, n, centres or {})


def keyed(columns):
    return {name if ":" in name else "f:" + name: values for name, values in columns.items()}


def built(days, *, declared=None, limit=50, growing=(), first=0.0, last=9 * DAY):
    if isinstance(days, LearningRow):
        days = {0: days}
    return references.build(
        days, first=first, last=last, declared=declared or {}, category_limit=limit, growing=growing
    )


def sample(seed=1, n=3_000):
    """One column of each of the shapes that real features have."""
    rng = np.random.default_rng(seed)
    numeric = {
        "normal": rng.normal(50, 10, n),
        "skewed": rng.lognormal(3, 2, n),
        "spiked": np.where(rng.random(n) < 0.6, 0.0, rng.normal(5, 1, n)),
        "whole": rng.integers(0, 12, n).astype(float),
        "binary": rng.integers(0, 2, n).astype(float),
        "constant": np.full(n, 0.003467),
        "holes": np.where(rng.random(n) < 0.3, np.nan, rng.random(n)),
        "broken": np.where(rng.random(n) < 0.1, np.inf, -rng.random(n)),
        "missing": np.full(n, np.nan),
        "subnormal": rng.choice([-5e-324, 0.0, 5e-324], n),
        "absurd": np.where(rng.random(n) < 0.01, 1e300, rng.normal(0, 1, n)),
        "o:score": np.round(rng.beta(2, 5, n), 2),
    }
    texts = {
        "colour": rng.choice(["red", "green", "é€"], n).tolist(),
        "flag": rng.choice(["true", "false"], n).tolist(),
        "gone": [None] * n,
        "code": [f"id-{i}" for i in range(n)],
    }
    return numeric, texts


@pytest.fixture(scope="module")
def row():
    return learned(*sample())


@pytest.fixture(scope="module")
def reference(row):
    return built({3: row, 4: learned(*sample(seed=2))}, first=3 * DAY, last=5 * DAY)


# --- bins -------------------------------------------------------------------------------------


def test_projecting_what_made_the_reference_is_counting_it_directly(reference):
    inputs = Inputs(reference.bins)
    total = inputs.zero()
    for seed in (1, 2):
        numeric, texts = (keyed(columns) for columns in sample(seed))
        matrix = np.array([numeric[key] for key in reference.bins.numeric])
        direct = inputs.row(matrix, texts, matrix.shape[1])
        projected = references.project(inputs, learned(*sample(seed)))
        np.testing.assert_array_equal(direct.counts, projected.counts)
        total.add(direct)
    np.testing.assert_array_equal(reference.row.counts, total.counts)
    exact = [i for i, key in enumerate(reference.bins.numeric) if key != "f:absurd"]
    for name in ("deviation", "square"):
        ours, theirs = (inputs.layout.sum(r, name)[exact] for r in (reference.row, total))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-6)


def test_edges_ascend_and_are_finite_and_a_value_beyond_them_is_clipped_into_finite_sums(reference):
    assert np.isfinite(reference.bins.edges).all()
    assert (np.diff(reference.bins.edges, axis=1) >= 0).all()
    assert np.isfinite(reference.row.sums).all()
    assert np.isfinite(reference.bins.centre).all()


def test_fine_bins_hold_a_64th_each_and_the_tails_none(reference):
    place = reference.bins.numeric.index("f:normal")
    cells = Inputs(reference.bins).layout.count(reference.row, "bins")[place]
    assert cells[:TAIL_BINS].sum() == cells[NUMERIC_BINS - TAIL_BINS : NUMERIC_BINS].sum() == 0
    fine = cells[TAIL_BINS : TAIL_BINS + FINE_BINS] / 6_000
    assert fine.max() < 2 / FINE_BINS
    assert (fine > 0).sum() > 50


def test_each_of_few_values_has_a_bin_of_its_own_that_its_neighbours_do_not_share(reference):
    inputs, bins = Inputs(reference.bins), reference.bins
    place = bins.numeric.index("f:whole")
    values = np.arange(-1.0, 13.0, 0.5)
    cells = np.searchsorted(bins.edges[place], values)
    whole = cells[values % 1 == 0]
    assert np.unique(whole[1:-1]).size == 12
    assert not np.intersect1d(whole[1:-1], cells[values % 1 == 0.5][1:-1]).size
    assert inputs.layout.count(reference.row, "bins")[place][whole[1:-1]].min() > 400


def test_a_constant_feature_has_no_spread_and_unit_tails(reference):
    place = reference.bins.numeric.index("f:constant")
    n, means, sds = references.moments(Inputs(reference.bins), reference.row)
    assert (n[place], sds[place]) == (6_000, 0.0)
    assert means[place] == pytest.approx(0.003467, rel=1e-12)
    edges = reference.bins.edges[place]
    assert edges[-1] - edges[-TAIL_BINS] == pytest.approx(2**11 - 1)


def test_moments_are_numpys(reference):
    values = np.concatenate([sample(seed)[0]["normal"] for seed in (1, 2)])
    place = reference.bins.numeric.index("f:normal")
    _, means, sds = references.moments(Inputs(reference.bins), reference.row)
    assert means[place] == pytest.approx(values.mean(), rel=1e-12)
    assert sds[place] == pytest.approx(values.std(), rel=1e-9)


def test_missing_and_not_finite_have_their_own_cells(reference):
    cells = Inputs(reference.bins).layout.count(reference.row, "bins")
    of = {key: cells[i] for i, key in enumerate(reference.bins.numeric)}
    assert of["f:missing"][MISSING] == 6_000
    assert of["f:broken"][NOT_FINITE] > 400
    assert 1_500 < of["f:holes"][MISSING] < 2_100


def test_a_value_of_1e300_leaves_the_mean_of_the_others_within_reach():
    """Sums are of clipped values; the clipped are counted."""
    values = np.random.default_rng(3).normal(10, 1, 5_000)
    reference = built(learned({"x": values}))
    later = learned({"x": np.append(values, 1e300)})
    inputs = Inputs(reference.bins)
    row = references.project(inputs, later)
    _, means, _ = references.moments(inputs, row)
    assert inputs.layout.count(row, "clipped").tolist() == [1]
    assert abs(means[0] - 10) < 1
    direct = inputs.row(np.append(values, 1e300)[None, :], {}, 5_001)
    np.testing.assert_array_equal(direct.counts, row.counts)
    assert references.moments(inputs, direct)[1] == pytest.approx(means, abs=0.02)


@pytest.mark.parametrize("values", [[1e300, -1e300], [1.7e308], [-1.7e308, 1.7e308, 0.0], [np.inf], [5e-324]])
def test_absurd_samples_make_a_reference_that_can_be_saved(values):
    reference = built(
        learned({"x": values * 40}, centres={"f:x": values[0] if np.isfinite(values[0]) else 0.0})
    )
    again = references.from_json(references.to_json(reference), "x.json")
    assert again.id == reference.id
    assert (np.diff(reference.bins.edges) >= 0).all()


# --- kinds ------------------------------------------------------------------------------------


def kinds(row, **given):
    declared = given.get("declared", {})
    return references.guess_kinds(row, declared, given.get("growing", ()))


def test_kinds_are_guessed_from_the_values(row):
    found = kinds(row)
    assert found["f:normal"] is found["f:whole"] is found["f:constant"] is FeatureKind.NUMERIC
    assert found["f:colour"] is found["f:flag"] is FeatureKind.CATEGORICAL
    assert found["f:code"] is FeatureKind.IDENTIFIER


def test_numbers_that_only_grow_are_identifiers_but_not_outputs_and_not_of_few_records():
    many = learned({"row": np.arange(100.0), "o:score": np.arange(100.0)})
    growing = ["f:row", "o:score"]
    found = kinds(many, growing=growing)
    assert found == {"f:row": FeatureKind.IDENTIFIER, "o:score": FeatureKind.NUMERIC}
    assert kinds(learned({"row": np.arange(99.0)}), growing=growing)["f:row"] is FeatureKind.NUMERIC


@pytest.mark.parametrize(
    ("different", "kind"), [(100, FeatureKind.CATEGORICAL), (101, FeatureKind.IDENTIFIER)]
)
def test_text_is_an_identifier_when_more_than_half_differs(different, kind):
    texts = [f"t{i % different}" for i in range(200)]
    assert kinds(learned(texts={"t": texts}))["f:t"] is kind
    few = [f"t{i}" for i in range(99)]
    assert kinds(learned(texts={"t": few}))["f:t"] is FeatureKind.CATEGORICAL


def test_a_declared_identifier_is_one_and_is_watched_for_missing_alone():
    row = learned({"account": [1.0, 2.0, np.nan]})
    reference = built(row, declared={"account": Feature(kind=FeatureKind.IDENTIFIER)})
    assert reference.bins.identifiers == {"f:account"}
    assert reference.bins.categories == ((),)
    cells = Inputs(reference.bins).layout.count(reference.row, "categories")[0]
    assert cells[[50, 52]].tolist() == [2, 1]  # other, missing


def test_declared_features_come_first_and_in_their_order(row):
    declared = {"whole": Feature(), "normal": Feature(), "not sent": Feature()}
    reference = built(row, declared=declared)
    assert reference.bins.numeric[:2] == ("f:whole", "f:normal")


def test_a_declared_range_is_the_one_that_counts_and_an_open_end_is_the_references():
    row = learned({"age": [20.0, 30.0, 40.0, 130.0], "x": [1.0, 2.0, 3.0, 4.0]})
    reference = built(row, declared={"age": Feature(min=18, max=120)})
    place = reference.bins.numeric.index("f:age")
    assert (reference.bins.low[place], reference.bins.high[place]) == (18, 120)
    assert Inputs(reference.bins).layout.count(reference.row, "outside").tolist() == [1, 0]
    assert reference.bins.low[1 - place] == 1.0


def test_the_most_frequent_categories_are_kept_and_the_rest_is_other_not_unseen():
    texts = ["a"] * 5 + ["b"] * 4 + ["c"] * 3 + ["d"] * 3 + [None]
    reference = built(learned(texts={"t": texts}), limit=2)
    assert reference.bins.categories == (("a", "b"),)
    assert reference.bins.folded == (frozenset({"c", "d"}),)
    inputs = Inputs(reference.bins)
    assert inputs.layout.count(reference.row, "categories")[0].tolist() == [5, 4, 6, 0, 1]
    row = inputs.row(np.zeros((0, 4)), {"f:t": ["a", "c", "new", None]}, 4)
    assert inputs.layout.count(row, "categories")[0].tolist() == [1, 0, 1, 1, 1]


def test_a_feature_and_an_output_of_one_name_are_two():
    reference = built(learned({"score": [1.0, 2.0], "o:score": [0.1, 0.2]}))
    assert reference.bins.numeric == ("f:score", "o:score")
    assert reference.only("f:").bins.numeric == ("f:score",)
    assert reference.only("o:").bins.numeric == ("o:score",)


def test_a_part_keeps_its_counts_and_has_an_id_of_its_own(reference):
    part = reference.only("f:")
    whole, inputs = Inputs(reference.bins), Inputs(part.bins)
    assert part.id != reference.id
    assert "o:score" not in part.bins.numeric
    for i, key in enumerate(part.bins.numeric):
        np.testing.assert_array_equal(
            inputs.layout.count(part.row, "bins")[i],
            whole.layout.count(reference.row, "bins")[reference.bins.numeric.index(key)],
        )
    np.testing.assert_array_equal(
        inputs.layout.count(part.row, "categories"), whole.layout.count(reference.row, "categories")
    )
    assert len(part.days) == 2
    assert part.days[0][1].shape[0] == len(part.bins.numeric) + len(part.bins.categorical)
    assert reference.only("x:") is None


def test_parts_of_one_reference_are_merged_into_it_again(reference):
    inputs, outputs = reference.only("f:"), reference.only("o:")
    whole = references.merged(inputs, outputs)
    assert (whole.only("f:").id, whole.only("o:").id) == (inputs.id, outputs.id)
    again = references.from_json(references.to_json(whole), "it")
    for part, prefix in ((inputs, "f:"), (outputs, "o:")):
        found = again.only(prefix)
        assert (found.id, found.first, found.last) == (part.id, part.first, part.last)
        np.testing.assert_array_equal(found.row.counts, part.row.counts)
        np.testing.assert_array_equal(found.row.sums, part.row.sums)
        assert [day for day, _ in found.days] == [day for day, _ in part.days]
        for (_, ours), (_, theirs) in zip(found.days, part.days, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_parts_that_stand_on_other_records_are_merged_as_far_as_they_go():
    def made(key, values, day, limit):
        row = LearningRow(3, {"f:x": NumericTally.of(np.array([1.0, 2.0, 3.0]), 0.0)})
        if key == "o:c":
            row = LearningRow(5, {}, {"o:c": CategoryTally.of(values)})
        return built({day: row}, limit=limit, first=day * DAY, last=(day + 1) * DAY)

    inputs, outputs = made("f:x", (), 3, 4), made("o:c", ["a", "b", "a", None, "c"], 8, 2)
    whole = references.merged(inputs, outputs)
    assert (whole.first, whole.last, whole.bins.limit) == (3 * DAY, 9 * DAY, 4)
    assert int(whole.row.counts[0]) == 5
    assert [(day, counts.sum(axis=1).tolist()) for day, counts in whole.days] == [(3, [3, 0]), (8, [0, 5])]
    cells = Inputs(whole.bins).layout.count(whole.row, "categories")[0]
    assert cells.tolist() == [2, 1, 0, 0, 1, 0, 1], "a, b, room for two more, other, unseen, missing"
    assert references.from_json(references.to_json(whole), "it").id == whole.id


def test_rebinning_is_exact_where_bins_are_points_and_near_where_they_are_not():
    rng = np.random.default_rng(8)
    few, wide, texts = (
        lambda n: rng.integers(0, 9, n).astype(float),
        lambda n: rng.normal(0, 1, n),
        lambda n, p: rng.choice(["a", "b", "c"], n, p=p).tolist(),
    )

    def of(n, shift, p):
        numeric = {"f:few": few(n), "f:wide": wide(n) + shift, "f:gone": wide(n)}
        numeric["f:few"][:50] = np.nan
        return numeric, {"f:c": texts(n, p)}

    (ours, our_texts), (theirs, their_texts) = (
        of(8_000, 0.0, [0.6, 0.3, 0.1]),
        of(5_000, 0.4, [0.1, 0.2, 0.7]),
    )
    del theirs["f:gone"]
    target, source = built({0: learned(ours, our_texts)}), built({0: learned(theirs, their_texts)})
    moved = references.rebinned(Inputs(target.bins), Inputs(source.bins), source.row)
    exact = Inputs(target.bins).row(
        np.array([theirs.get(key, np.full(5_000, np.nan)) for key in target.bins.numeric]), their_texts, 5_000
    )
    inputs = Inputs(target.bins)
    got, expected = (inputs.layout.count(row, "bins").astype(int) for row in (moved, exact))
    place = {key: i for i, key in enumerate(target.bins.numeric)}
    np.testing.assert_array_equal(got[place["f:few"]], expected[place["f:few"]])
    np.testing.assert_array_equal(got[place["f:gone"]], expected[place["f:gone"]])
    assert got[place["f:wide"]].sum() == 5_000
    cumulated = np.abs(np.cumsum(got[place["f:wide"]] - expected[place["f:wide"]]))
    assert 0 < cumulated.max() <= 5_000 / 64 + 1
    np.testing.assert_array_equal(*(inputs.layout.count(row, "categories") for row in (moved, exact)))
    for name in ("deviation", "square"):
        np.testing.assert_allclose(
            *(inputs.layout.sum(row, name) for row in (moved, exact)), rtol=1e-9, atol=1e-6
        )


def test_no_record_makes_no_reference():
    with pytest.raises(ReferenceFileError, match=r"^a reference needs at least one record, got none$"):
        built({})


def test_alternate_days_that_differ_are_told_by_name():
    days = {d: learned({"x": np.full(600, float(d % 2)), "y": np.arange(600.0)}) for d in range(8)}
    assert references.halves_differ(built(days), 0.1) == ("f:x",)
    assert references.halves_differ(built(days[0]), 0.1) == ()


def test_coarse_counts_by_day_add_up_to_the_whole(reference):
    total = sum(counts for _, counts in reference.days)
    np.testing.assert_array_equal(total, Inputs(reference.bins).coarse(reference.row))
    assert [day for day, _ in reference.days] == [3, 4]


# --- the file ---------------------------------------------------------------------------------


def test_a_reference_reads_back_equal_in_every_part(reference):
    text = references.to_json(reference)
    again = references.from_json(text, "r.json")
    assert again.id == reference.id
    assert (again.first, again.last) == (3 * DAY, 5 * DAY)
    np.testing.assert_array_equal(again.row.counts, reference.row.counts)
    np.testing.assert_array_equal(again.row.sums, reference.row.sums)
    for name in ("edges", "centre", "low", "high", "coarse"):
        np.testing.assert_array_equal(getattr(again.bins, name), getattr(reference.bins, name))
    for name in ("numeric", "categorical", "identifiers", "categories", "folded", "limit"):
        assert getattr(again.bins, name) == getattr(reference.bins, name)
    for (day, ours), (other, theirs) in zip(again.days, reference.days, strict=True):
        assert day == other
        np.testing.assert_array_equal(ours, theirs)
    assert references.to_json(again) == text


def test_a_reference_without_times_reads_back(row):
    reference = built({0: row}, first=float("nan"), last=float("nan"))
    again = references.from_json(references.to_json(reference), "r.json")
    assert np.isnan(again.first)
    assert again.span_seconds == reference.span_seconds == 0.0


def test_the_file_says_what_a_person_asks_for(reference):
    document = json.loads(references.to_json(reference))
    assert document["format"] == "driftgauge-reference"
    assert document["version"] == 1
    assert document["records"] == 6_000
    assert document["first"] == "1970-01-04T00:00:00Z"
    normal = next(n for n in document["numeric"] if n["key"] == "f:normal")
    assert normal["mean"] == pytest.approx(50, abs=1)
    assert normal["standard_deviation"] == pytest.approx(10, abs=1)


def altered(reference, change):
    document = json.loads(references.to_json(reference))
    change(document)
    return json.dumps(document).encode()


def _tail(document):
    document["numeric"][0]["counts"][3] += 1


def _edge(document):
    document["numeric"][0]["edges"][40] += 1e-9


def _category(document):
    document["categorical"][0]["categories"]["red"] -= 1


@pytest.mark.parametrize("change", [_tail, _edge, _category])
def test_a_file_altered_by_hand_is_refused_by_its_id(reference, change):
    expected = (
        r"^r\.json: its edges and counts give id [0-9a-f]{12}, but it says '[0-9a-f]{12}'; "
        r"a reference is made by `driftgauge profile`, not by hand$"
    )
    with pytest.raises(ReferenceFileError, match=expected):
        references.from_json(altered(reference, change), "r.json")


def _set(path, value):
    def change(document):
        *way, last = path
        for step in way:
            document = document[step]
        document[last] = value

    return change


REFUSED = [
    (
        _set(["version"], 2),
        "r.json: expected format driftgauge-reference version 1, got 'driftgauge-reference' version 2",
    ),
    (
        _set(["format"], "evidently"),
        "r.json: expected format driftgauge-reference version 1, got 'evidently' version 1",
    ),
    (
        _set(["numeric", 0, "edges"], [1.0, 2.0]),
        "r.json numeric 'f:normal': expected 87 edges and 88 counts and coarse bins, got 2, 88 and 88",
    ),
    (
        _set(["numeric", 0, "counts"], [1] * 89),
        "r.json numeric 'f:normal': expected 87 edges and 88 counts and coarse bins, got 87, 89 and 88",
    ),
    (
        _set(["numeric", 0, "edges"], [2.0, 1.0, *[3.0] * 85]),
        "r.json numeric 'f:normal': edges must be finite and ascend",
    ),
    (_set(["numeric", 0, "counts", 5], -1), "r.json 'f:normal': counts must be 0 to 4294967295"),
    (_set(["numeric", 0, "missing"], 2**32), "r.json 'f:normal': counts must be 0 to 4294967295"),
    (_set(["numeric", 0, "coarse", 0], 10), "r.json numeric 'f:normal': coarse bins must be 0 to 9"),
    (
        _set(["category_limit"], 2),
        "r.json categorical 'f:colour': expected at most 2 categories, got 3",
    ),
    (_set(["categorical", 0, "other"], -3), "r.json 'f:colour': counts must be 0 to 4294967295"),
    (_set(["days", 0, "coarse"], {}), "r.json day 3: expected 12 counts for each name"),
    (_set(["days", 0, "coarse", "f:normal"], [1]), "r.json day 3: expected 12 counts for each name"),
    (
        _set(["days", 1, "coarse", "f:gone"], [2**64] * 12),
        "r.json day 4 'f:gone': counts must be 0 to 4294967295",
    ),
    (_set(["category_limit"], 10**9), "r.json: category_limit must be 0 to 100000, got 1000000000"),
    (_set(["records"], -1), "r.json: records must be 0 to 4294967295"),
    (_set(["records"], 2**32), "r.json: records must be 0 to 4294967295"),
    (_set(["first"], "yesterday"), "r.json: expected times like 2026-01-31T00:00:00Z, got 'yesterday'"),
    (
        _set(["extra"], 1),
        "r.json: expected a reference file, got: Object contains unknown field `extra`",
    ),
    (
        _set(["numeric", 0, "mean"], "5"),
        "r.json: expected a reference file, got: Expected `float`, got `str` - at `$.numeric[0].mean`",
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_a_file_that_contradicts_itself_is_refused_with_where_and_what(reference, change, message):
    with pytest.raises(ReferenceFileError) as caught:
        references.from_json(altered(reference, change), "r.json")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": "driftgauge-reference"']
)
def test_what_is_no_reference_file_is_refused_in_one_line(text):
    with pytest.raises(ReferenceFileError, match=r"^r\.json: expected a reference file, got: ") as caught:
        references.from_json(text, "r.json")
    assert "\n" not in str(caught.value)


def test_a_name_that_stands_twice_is_refused(reference):
    def twice(document):
        document["numeric"][1]["key"] = document["numeric"][0]["key"]

    with pytest.raises(
        ReferenceFileError, match=r"^r\.json: expected each name once, got 'f:normal' 2 times$"
    ):
        references.from_json(altered(reference, twice), "r.json")


def test_an_absent_file_is_named(tmp_path):
    path = tmp_path / "absent.json"
    with pytest.raises(
        ReferenceFileError, match=f"^{re.escape(str(path))}: can't be read: No such file or directory$"
    ):
        references.load(path)
    path.write_bytes(references.to_json(built(learned({"x": [1.0, 2.0]}))))
    assert isinstance(references.load(path).row, Row)


def test_times_of_a_microsecond_read_back_equal(row):
    first, last = 1_700_000_000.123457, 1_700_900_000.654321
    again = references.from_json(references.to_json(built(row, first=first, last=last)), "r.json")
    assert (again.first, again.last) == (first, last)
