"""What a column of cells is taken for, and what becomes of cells that don't fit."""

from __future__ import annotations

import pytest
from tests.unit.profile.conftest import categories, csv_text, kinds, missing, ndjson


def column(cells):
    return csv_text(("x", "y"), [[cell, i % 3] for i, cell in enumerate(cells)])


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "-3e4", "+.5", "7.", "0"], "numeric"),
        (["1", "", "2"], "numeric"),
        (["1", "NaN", "inf", "-Infinity"], "numeric"),
        ([" 1", "2 "], "numeric"),
        (["true", "false", ""], "categorical"),
        (["True", "FALSE"], "categorical"),
        (["1", "true"], "categorical"),
        (["02139", "10001"], "categorical"),
        (["1_000", "2_000"], "categorical"),
        (["٣", "٤"], "categorical"),
        (["0x10", "0x11"], "categorical"),
        (["40%", "20%"], "categorical"),
        (["a", "b"], "categorical"),
        ([f"id{i}" for i in range(150)], "identifier"),
        ([str(i) for i in range(150)], "identifier"),
        ([str(i) for i in range(99)], "numeric"),
        ([str(150 - i) for i in range(150)], "numeric"),
    ],
)
def test_a_column_is_what_a_json_sender_would_have_sent(profiled, cells, kind):
    assert kinds(profiled(column(cells)))["f:x"] == kind


def test_identifiers_are_told_with_the_reason(profiled):
    text = csv_text(("row", "customer", "x"), [[i, f"c{i}", i % 5] for i in range(200)])
    found = profiled(text)
    assert [(each.name, each.reason) for each in found.identifiers] == [
        ("row", "its numbers only grow"),
        ("customer", "most of its texts differ"),
    ]


def test_an_empty_cell_is_missing(profiled):
    found = profiled(column(["1", "", " ", "2"]))
    assert missing(found, "f:x") == 2
    texts = profiled(column(["a", "", "  ", "b"]))
    assert categories(texts, "f:x") == {"a": 1, "b": 1, None: 2}


def test_marks_of_missing_values_are_named(profiled):
    found = profiled(column(["1", "NA", "?", "2"]), missing=frozenset({"NA", "?"}))
    assert kinds(found)["f:x"] == "numeric"
    assert missing(found, "f:x") == 2


def test_a_mark_that_was_not_named_is_suspected(profiled):
    found = profiled(column(["1", "2", "3", "NA"]))
    assert found.findings == (
        "1 column 'x' is text, though mostly numbers; --missing names marks of missing ones "
        "(first: line 5, 'NA')",
    )


def test_booleans_are_as_json_has_them(profiled):
    assert categories(profiled(column(["True", "false", "TRUE"])), "f:x") == {"true": 2, "false": 1}


@pytest.mark.parametrize("misfit", ["n/a", "1_0", "٣", "one"])
def test_what_is_no_number_later_counts_as_missing_and_is_told(profiled, misfit):
    cells = [str(i % 7) for i in range(50)]
    cells[30], cells[40], cells[45] = misfit, misfit, "007"
    found = profiled(column(cells), chunk_rows=20)
    assert missing(found, "f:x") == 2
    assert found.findings == (
        f"2 values of 'x' counted as missing: expected a number (first: line 32, '{misfit}')",
    )


def test_lines_are_counted_through_quoted_line_ends(profiled):
    text = 'x,y\n1,"two\nlines"\n2,b\nz,c\n'
    found = profiled(text, chunk_rows=2)
    assert found.findings == ("1 value of 'x' counted as missing: expected a number (first: line 5, 'z')",)


def test_a_column_begins_with_its_first_value(profiled):
    found = profiled(column([""] * 30 + ["1", "2"] * 10), chunk_rows=10)
    assert kinds(found)["f:x"] == "numeric"
    assert missing(found, "f:x") == 30


def test_a_column_without_any_value_is_no_feature(profiled):
    assert kinds(profiled(column(["", "", ""]))) == {"f:y": "numeric"}


def test_long_texts_are_cut_as_the_intake_cuts_them(profiled):
    found = profiled(column(["a" * 200, "b"]))
    assert categories(found, "f:x") == {"a" * 127 + "…": 1, "b": 1}


def test_values_of_json_have_their_own_types(profiled):
    records = [{"x": 1, "y": "1", "z": True}, {"x": 2.5, "y": None, "z": False}, {"y": "b", "z": None}]
    found = profiled(ndjson(records), "train.jsonl")
    assert kinds(found) == {"f:x": "numeric", "f:y": "categorical", "f:z": "categorical"}
    assert missing(found, "f:x") == 1
    assert categories(found, "f:z") == {"true": 1, "false": 1, None: 1}


def test_values_of_json_that_do_not_fit_are_missing_and_told(profiled):
    records = [{"x": 1, "y": "a"}, {"x": 2, "y": 5.0}, {"x": "three", "y": [1]}, {"x": {"a": 1}, "y": True}]
    found = profiled(ndjson(records), "train.jsonl", chunk_rows=2)
    assert missing(found, "f:x") == 2
    assert categories(found, "f:y") == {"a": 1, "5": 1, "true": 1, None: 1}
    assert found.findings == (
        "1 value of 'x' counted as missing: expected a number, a text, or true or false "
        "(first: line 4, a list or an object)",
        "1 value of 'x' counted as missing: expected a number (first: line 3, 'three')",
        "1 value of 'y' counted as missing: expected a number, a text, or true or false "
        "(first: line 3, a list or an object)",
    )


def test_huge_integers_of_json_are_not_finite(profiled):
    found = profiled('{"x": 1}\n{"x": 1' + "0" * 400 + '}\n{"x": 1e999}\n', "train.jsonl")
    assert kinds(found) == {"f:x": "numeric"}
    assert missing(found, "f:x") == 0


def test_segments_and_the_outcome_are_summarised_and_no_features(profiled):
    rows = [[i % 5, "ab"[i % 2], i % 2] for i in range(20)]
    found = profiled(csv_text(("x", "plan", "paid"), rows), roles={"segments": ("plan",), "outcome": "paid"})
    assert kinds(found) == {"f:x": "numeric"}
    assert [(o.name, o.role, o.values, o.more) for o in found.others] == [
        ("plan", "segment", 2, False),
        ("paid", "outcome", 2, False),
    ]


def test_a_segment_that_the_model_declares_as_a_feature_is_one_too(profiled):
    from driftgauge.config import Feature, Model

    text = csv_text(("plan", "region"), [["ab"[i % 2], "xyz"[i % 3]] for i in range(20)])
    model = Model(segments=("plan", "region"), features={"plan": Feature()})
    found = profiled(text, model=model)
    assert kinds(found) == {"f:plan": "categorical"}
    assert [each.name for each in found.others] == ["plan", "region"]


@pytest.mark.parametrize(
    ("low", "step", "told"),
    [
        (1e9, 10.0, True),  # a kilometre of a thousand: one bin is two thousand kilometres wide
        (52.4, 0.002, True),  # latitudes within a town
        (1_700_000_000.0, 3600.0, True),
        (20.0, 0.5, False),
        (100.0, 1.0, False),  # whole numbers below 1,024 have a bin each
        (-5.0, 0.1, False),
    ],
)
def test_values_too_close_together_for_the_bins_are_named(profiled, low, step, told):
    from driftgauge.profile.summary import summary_lines

    found = profiled(column([repr(low + step * (i * 37 % 100)) for i in range(400)]))
    assert any(line.startswith("x: ") for line in summary_lines(found)) == told
