"""Hostile names and any numbers: what is written reads back equal."""

from __future__ import annotations

import dataclasses
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from driftgauge.exposition.lines import label_set
from driftgauge.exposition.live import Live
from driftgauge.exposition.page import OPENMETRICS, compose
from driftgauge.exposition.text import Exposition
from driftgauge.snapshot import Flag, Snapshot, VersionSnapshot, VersionState

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
tables = st.dictionaries(st.tuples(names, names, names), numbers, max_size=8)


def snapshot_of(table) -> Snapshot:
    """One version that holds all rows; labels stand in the rows, so any mixture will do."""
    empty = {f.name: () for f in dataclasses.fields(VersionSnapshot)}
    bare = [None] * (len(VersionState.__struct_fields__) - 2)
    rows = tuple(Flag(*labels, value) for labels, value in table.items())
    return Snapshot(
        0.0, 0.0, (VersionSnapshot(**(empty | {"state": VersionState("", "", *bare), "flags": rows})),)
    )


def read_back(families):
    found = {}
    for family in families:
        for sample in family.samples:
            labels = sample.labels
            found[labels["model"], labels["model_version"], labels["state"]] = sample.value
    return found


@given(tables)
def test_the_text_reads_back_equal(table):
    text = Exposition((), 100).render(snapshot_of(table)).text(openmetrics=False)
    assert read_back(parse_text(text.decode())) == table


@given(tables)
def test_the_openmetrics_reads_back_equal(table):
    text = Exposition((), 100).render(snapshot_of(table)).text(openmetrics=True) + b"# EOF\n"
    assert read_back(parse_openmetrics(text.decode())) == table


@given(st.lists(tables, min_size=1, max_size=4))
def test_what_is_remembered_changes_nothing_while_the_limit_does_not_bind(sequence):
    lasting = Exposition((), 100)
    for table in sequence:
        fresh = Exposition((), 100).render(snapshot_of(table))
        assert lasting.render(snapshot_of(table)).text(openmetrics=False) == fresh.text(openmetrics=False)


@given(st.text(max_size=30))
def test_any_text_at_all_can_be_a_label(text):
    line = label_set(("a",), (text,)).encode()
    assert line.count(b"\n") == 0


@pytest.fixture(scope="module")
def naughty(data) -> list[str]:
    return json.loads(gzip.decompress((data / "robustness" / "naughty_strings.json.gz").read_bytes()))


def test_every_naughty_string_is_a_name_that_reads_back(naughty):
    table = {(text, text, text): float(i) for i, text in enumerate(naughty)}
    rendered = Exposition((), 10_000).render(snapshot_of(table))
    page = compose(rendered, Live(), accept=OPENMETRICS)
    families = [f for f in parse_openmetrics(page.body.decode()) if f.name == "driftgauge_reference_state"]
    assert read_back(families) == table


def test_every_naughty_string_is_a_model_that_counts(naughty):
    live = Live()
    for text in naughty:
        live.begin(text, text)
    text = live.text(openmetrics=True, names=["driftgauge_predictions"]) + b"# EOF\n"
    (family,) = parse_openmetrics(text.decode())
    assert {s.labels["model"] for s in family.samples} == set(naughty)
