import dataclasses
import math
import re

import pytest

from driftgauge.exposition.rendered import SeriesCount
from driftgauge.exposition.text import Exposition
from driftgauge.snapshot import (
    EMPTY,
    ClassQuality,
    ErrorSums,
    Flag,
    Quality,
    Snapshot,
    VersionSnapshot,
    VersionState,
)

BARE = dict.fromkeys(set(VersionState.__struct_fields__) - {"model", "model_version"})


def flags(*rows: tuple[str, float | None], model: str = "m", version: str = "1", **more) -> VersionSnapshot:
    """A version with one `driftgauge_reference_state` for each (state, value)."""
    parts = {f.name: () for f in dataclasses.fields(VersionSnapshot)}
    parts["state"] = VersionState(model=model, model_version=version, **BARE)
    parts["flags"] = tuple(Flag(model, version, state, value) for state, value in rows)
    return VersionSnapshot(**(parts | more))


def snapshot(*versions: VersionSnapshot) -> Snapshot:
    return Snapshot(evaluated_at=0.0, seconds=0.0, versions=versions)


def series_of(rendered) -> list[str]:
    text = rendered.text(openmetrics=False).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def states_of(rendered) -> list[str]:
    return [line.partition('state="')[2].partition('"')[0] for line in series_of(rendered)]


def test_an_empty_snapshot_is_an_empty_text():
    rendered = Exposition((), 10).render(EMPTY)
    assert (rendered.text(openmetrics=False), rendered.counts, rendered.invalid) == (b"", (), 0)


def test_a_family_without_a_value_has_no_head():
    assert Exposition((), 10).render(snapshot(flags(("a", None)))).text(openmetrics=False) == b""


def test_a_family_is_its_help_its_type_and_its_samples():
    rendered = Exposition((), 10).render(snapshot(flags(("frozen", 1))))
    head, kind, sample = rendered.text(openmetrics=False).decode().splitlines()
    assert head.startswith("# HELP driftgauge_reference_state 1 for the state")
    assert kind == "# TYPE driftgauge_reference_state gauge"
    assert sample == 'driftgauge_reference_state{model="m",model_version="1",state="frozen"} 1.0'


def test_a_counter_loses_total_in_the_head_of_openmetrics_alone():
    sums = ErrorSums("m", "1", 5, *[None] * 8)
    rendered = Exposition((), 10).render(snapshot(flags(errors=(sums,))))
    assert b"# TYPE driftgauge_error_outcomes_total counter\n" in rendered.text(openmetrics=False)
    assert b"# TYPE driftgauge_error_outcomes counter\n" in rendered.text(openmetrics=True)
    assert b'driftgauge_error_outcomes_total{model="m",model_version="1"} 5.0\n' in rendered.text(
        openmetrics=True
    )


@pytest.mark.parametrize(
    ("value", "text"), [(5, "5.0"), (0.1 + 0.2, "0.30000000000000004"), (1e300, "1e+300"), (-0.0, "-0.0")]
)
def test_a_value_is_written_so_that_it_reads_back_equal(value, text):
    (line,) = series_of(Exposition((), 10).render(snapshot(flags(("a", value)))))
    assert line.endswith(f"}} {text}")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_left_out_and_counted(value):
    rendered = Exposition((), 10).render(snapshot(flags(("a", value), ("b", 1.0))))
    assert (states_of(rendered), rendered.invalid) == (["b"], 1)


def test_a_negative_counter_is_left_out_and_counted():
    sums = ErrorSums("m", "1", -1.0, *[None] * 7, -2.0)
    rendered = Exposition((), 10).render(snapshot(flags(errors=(sums,))))
    assert series_of(rendered) == ['driftgauge_outcome_centre{model="m",model_version="1"} -2.0']
    assert rendered.invalid == 1


def test_a_series_that_comes_twice_is_written_once_and_counted():
    rendered = Exposition((), 10).render(snapshot(flags(("a", 1.0), ("a", 2.0))))
    assert (len(series_of(rendered)), rendered.invalid) == (1, 1)


def test_two_names_that_become_the_same_text_are_one_series():
    rendered = Exposition((), 10).render(snapshot(flags(("\ud800", 1.0), ("\\ud800", 2.0))))
    assert (len(series_of(rendered)), rendered.invalid) == (1, 1)


def test_a_family_that_is_off_is_not_there():
    table = {f.metric.name for f in Exposition((), 10).render(snapshot(flags())).families}
    assert table == set()
    off = {m.name for m in Exposition((), 10)._metrics}
    on = {m.name for m in Exposition(("distances",), 10)._metrics}
    assert "driftgauge_feature_js_distance" in on - off
    assert "driftgauge_feature_psi" in off & on


def test_the_limit_admits_the_first_rows_and_counts_the_others():
    rendered = Exposition((), 2).render(snapshot(flags(("a", 1), ("b", 1), ("c", 1), ("d", 1))))
    assert states_of(rendered) == ["a", "b"]
    assert rendered.counts == (SeriesCount("m", "1", exported=2, dropped=2),)


@pytest.mark.parametrize(("rows", "dropped"), [(2, 0), (3, 1), (1000, 998)])
def test_the_limit_at_it_one_over_and_far_over(rows, dropped):
    rendered = Exposition((), 2).render(snapshot(flags(*((str(i), 1.0) for i in range(rows)))))
    assert (len(series_of(rendered)), rendered.counts[0].dropped) == (2, dropped)


def test_the_limit_is_for_each_version():
    rows = (("a", 1), ("b", 1))
    versions = (flags(*rows), flags(*rows, version="2"), flags(*rows, model="n"))
    rendered = Exposition((), 2).render(snapshot(*versions))
    assert [count.exported for count in rendered.counts] == [2, 2, 2]


def test_an_admitted_series_stays_when_an_earlier_row_gets_a_value():
    exposition = Exposition((), 1)
    exposition.render(snapshot(flags(("a", None), ("b", 1.0))))
    rendered = exposition.render(snapshot(flags(("a", 1.0), ("b", 1.0))))
    assert (states_of(rendered), rendered.counts[0].dropped) == (["b"], 1)


def test_a_row_without_a_value_keeps_its_place():
    exposition = Exposition((), 1)
    exposition.render(snapshot(flags(("a", 1.0), ("b", 1.0))))
    assert states_of(exposition.render(snapshot(flags(("a", None), ("b", 1.0))))) == []
    assert states_of(exposition.render(snapshot(flags(("a", 1.0), ("b", 1.0))))) == ["a"]


def test_a_row_that_is_gone_gives_its_place_back():
    exposition = Exposition((), 1)
    exposition.render(snapshot(flags(("a", 1.0), ("b", 1.0))))
    exposition.render(snapshot(flags(("b", 1.0))))
    assert states_of(exposition.render(snapshot(flags(("b", 1.0))))) == ["b"]


def test_what_is_remembered_is_bounded_by_the_last_snapshot():
    exposition = Exposition((), 100)
    for i in range(50):
        exposition.render(snapshot(flags((str(i), 1.0), model=f"m{i % 2}")))
    (book,) = exposition._books.values()
    assert (len(book.taken), sum(map(len, book.known))) == (1, 2)  # the flag, and the state's empty row


def test_only_the_families_asked_for_are_given():
    sums = ErrorSums("m", "1", 5, *[None] * 7, 1.0)
    rendered = Exposition((), 10).render(snapshot(flags(("a", 1), errors=(sums,))))
    for name in ("driftgauge_error_outcomes_total", "driftgauge_error_outcomes"):
        text = rendered.text(openmetrics=True, names=[name]).decode()
        assert [line.split("{")[0] for line in text.splitlines() if line[0] != "#"] == [
            "driftgauge_error_outcomes_total"
        ]
    assert rendered.text(openmetrics=False, names=["nothing"]) == b""


@pytest.mark.parametrize(
    ("families", "log_loss", "recall"),
    [((), [""], [""]), (("segments",), ["", "plan"], [""]), (("classes",), [""], ["", "red"])],
)
def test_rows_of_segments_and_classes_have_families_of_their_own(families, log_loss, recall):
    of = {"model": "m", "model_version": "1", "window": "1d", "cohort": "arrived", "segment_value": ""}
    bare = dict.fromkeys(Quality.__struct_fields__) | of | {"accuracy": 0.5, "log_loss": 0.5}
    quality = [Quality(**bare | {"segment": segment}) for segment in ("", "plan")]
    bare = dict.fromkeys(ClassQuality.__struct_fields__) | of | {"segment": "", "recall": 0.5}
    classes = [ClassQuality(**bare | {"class_": name}) for name in ("", "red")]
    rendered = Exposition(families, 100).render(snapshot(flags(quality=quality, classes=classes)))

    def found(name, label):
        lines = [line for line in series_of(rendered) if line.startswith(f"driftgauge_{name}{{")]
        return [re.search(f'[{{,]{label}="(.*?)"', line)[1] for line in lines]

    assert found("accuracy_ratio", "segment") == ["", "plan"]
    assert found("log_loss", "segment") == log_loss
    assert found("recall_ratio", "class") == recall
