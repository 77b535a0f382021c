"""Templates: what is replaced, what is refused, and that no value breaks out of its place."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.trigger.variables import NAMES, document_faults, environment, faults, filled, filled_document

VALUES = dict.fromkeys(NAMES, "") | {"model": "churn", "reason": 'a $model and "quotes"', "cause": "X"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$model", "churn"),
        ("${model}s", "churns"),
        ("$$model", "$model"),
        ("$$$model", "$churn"),
        ("no variable", "no variable"),
        ("$cause/$model", "X/churn"),
        ("$reason", 'a $model and "quotes"'),  # a value is not looked into again
    ],
)
def test_variables_are_replaced_once(text, expected):
    assert filled(text, VALUES) == expected
    assert list(faults(text)) == []


@pytest.mark.parametrize(
    "text", ["$unknown", "${un known}", "$", "100$", "${model", "$1", "${}", "$ model", "$MODEL"]
)
def test_unknown_names_are_refused(text):
    [fault] = faults(text)
    assert fault.startswith("expected one of decision, run, model")
    with pytest.raises(ValueError, match="expected one of"):
        filled(text, VALUES)


def test_a_document_keeps_its_shape():
    document = {"$model": ["$model", 1, None, {"a": "${cause}"}], "b": True}
    assert filled_document(document, VALUES) == {"$model": ["churn", 1, None, {"a": "X"}], "b": True}
    assert len(list(document_faults({"a": ["$x", {"b": "$y"}], "$z": 1}))) == 2


@given(st.text())
def test_a_value_stays_within_its_quotes(value):
    document = json.loads('{"text": "see $model", "admin": false}')
    done = json.loads(json.dumps(filled_document(document, VALUES | {"model": value})))
    assert done == {"text": f"see {value}", "admin": False}


def test_naughty_values_are_passed_as_they_are(data):
    with gzip.open(data / "robustness" / "naughty_strings.json.gz", "rt") as file:
        for text in json.load(file):
            assert filled("$model", VALUES | {"model": text}) == text


def test_the_environment_has_every_variable_and_no_nul():
    found = environment(VALUES | {"model": "a\0b"})
    assert set(found) == {f"DRIFTGAUGE_{name.upper()}" for name in NAMES}
    assert found["DRIFTGAUGE_MODEL"] == "a\ufffdb"
