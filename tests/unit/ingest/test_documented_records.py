"""docs/records.md: its examples are taken as they stand, and it names every field."""

import json
import re

from tests.conftest import REPOSITORY

from driftgauge.ingest.fields import SHAPES
from driftgauge.records import Kind

PAGE = (REPOSITORY / "docs" / "records.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def test_its_examples_are_taken(door):
    prediction, outcome, columns, _ = EXAMPLES
    for found in (door().predictions(prediction), door().predictions(columns), door().outcomes(outcome)):
        assert not found.rejections
        assert not found.failures
    [taken] = door().predictions(columns).predictions
    assert taken.timestamps.tolist() == [1769860800.0, 1769860801.0]


def test_it_names_every_field_and_whose_it_is():
    told = {}
    for names, of in re.findall(r"(?m)^\| ((?:`\w+`(?:, )?)+) \| (both|predictions|outcomes) \|", PAGE):
        for name in re.findall(r"`(\w+)`", names):
            told[name] = of
    own = {name: kind.value for kind in Kind for name in SHAPES[kind]}
    shared = SHAPES[Kind.PREDICTIONS].keys() & SHAPES[Kind.OUTCOMES].keys()
    expected = {name: "both" if name in shared else of for name, of in own.items()}
    assert told == expected
