"""What is said, and when: one sentence for each thing that happens, none for what does not."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs
from tests.unit.monitor.driving import WALL, Driver, predictions

from driftgauge.evaluate import evaluate
from driftgauge.narrate import KEPT_NOTICES, Narrator
from driftgauge.snapshot import (
    BusinessValue,
    Cohort,
    Detector,
    Drift,
    Quality,
    QualityInterval,
    RelationShift,
    Snapshot,
    ValueInfo,
    Verdict,
    VersionSnapshot,
    WindowState,
    WorstSegment,
)

DAY = 86_400.0
NONE = dict.fromkeys(
    ("ks", "ks_bound", "js_distance", "wasserstein", "mean_shift_sd", "mean_shift_ratio", "missing_ratio",
     "not_finite_ratio", "unseen_ratio", "out_of_range_ratio")
)  # fmt: skip


def empty_version():
    held = Driver()
    held.send(predictions([None], [WALL], numeric={"x": np.array([1.0])}))
    return evaluate([held.view()], WALL, 0.0).versions[0]


EMPTY = empty_version()


def window(samples=1_000.0, covered=1.0, name="7d"):
    return WindowState("m", "1", name, Cohort.PREDICTED, samples, 7 * DAY * covered, covered, 7 * DAY, 0.0)


def drift(psi, feature="", output="", name="7d"):
    return Drift("m", "1", feature, output, "numeric", name, 1_000.0, psi=psi, **NONE)


def quality(segment="", value="", samples=1_000.0, **numbers):
    return Quality("m", "1", "7d", Cohort.ARRIVED, segment, value, samples, **numbers)


def worth(value, mean, segment_value=""):
    segment = "plan" if segment_value else ""
    return BusinessValue(
        "m", "1", "7d", Cohort.ARRIVED, segment, segment_value, 1_000.0, value, value, value, mean
    )


def worst(segment_value, gap):
    none = (None, "", "")
    return WorstSegment("m", "1", "7d", Cohort.ARRIVED, *none, *none, gap, "plan", segment_value)


def snapshot(day, *, drifts=(), qualities=(), windows=None, detectors=(), state="given", **parts):
    told = structs.replace(
        EMPTY.state,
        model="m",
        model_version="1",
        reference_state=state,
        reference_samples=50_000.0,
        features=3.0,
        clock_timestamp_seconds=day * DAY,
    )
    version = replace(
        EMPTY,
        state=told,
        windows=(window(),) if windows is None else windows,
        drift=tuple(drifts),
        quality=tuple(qualities),
        detectors=tuple(detectors),
        **parts,
    )
    assert isinstance(version, VersionSnapshot)
    return Snapshot(WALL, 0.0, (version,))


def texts(narrator, *args, **kwargs):
    return [notice.text for notice in narrator.hear(snapshot(*args, **kwargs))]


def begun(*args, **kwargs):
    narrator = Narrator()
    narrator.hear(snapshot(0, *args, **kwargs))
    return narrator


def test_a_reference_is_told_when_its_state_changes_and_only_then():
    narrator = Narrator()
    assert texts(narrator, 0) == ["the reference is given: 50,000 records, 3 features"]
    assert texts(narrator, 1) == []
    assert texts(narrator, 2, state="frozen") == ["the reference is frozen: 50,000 records, 3 features"]


def test_a_reference_that_is_learned_is_told_before_it_has_records():
    held = Driver()
    held.send(predictions([None], [WALL], numeric={"x": np.array([1.0])}))
    narrator = Narrator()
    notices = narrator.hear(evaluate([held.view()], WALL, 0.0))
    assert [n.text for n in notices] == ["the reference is learning: nothing is compared yet"]
    assert (notices[0].time, notices[0].model) == (WALL, "m")


def test_what_moved_is_told_once_beside_what_did_not():
    steady = [drift(0.01, "debt_to_income_ratio"), drift(0.02, "driver_tenure")]
    narrator = begun(drifts=[drift(0.01, "car_value"), *steady])
    said = texts(narrator, 89, drifts=[drift(1.8, "car_value"), *steady])
    assert said == [
        "car_value moved: PSI 1.8 since 1970-03-31 (7d window); debt_to_income_ratio, driver_tenure did not"
    ]
    assert texts(narrator, 90, drifts=[drift(1.9, "car_value"), *steady]) == []


def test_several_that_move_at_once_are_one_sentence_the_furthest_first():
    narrator = begun()
    said = texts(
        narrator, 1, drifts=[drift(0.3, "a"), drift(2.0, "b"), drift(0.0, "c"), drift(0.5, output="score")]
    )
    assert said == [
        "b (PSI 2.0), the score (PSI 0.5), a (PSI 0.3) moved since 1970-01-02 (7d window); c did not"
    ]


def test_long_lists_are_cut_short():
    drifts = [drift(1.0, "moved"), *(drift(0.0, f"f{i}") for i in range(7))]
    assert texts(begun(), 1, drifts=drifts) == [
        "moved moved: PSI 1.0 since 1970-01-02 (7d window); f0, f1, f2, f3 and 3 more did not"
    ]


def test_a_move_dates_from_when_it_left_the_steady_range():
    narrator = begun()
    assert texts(narrator, 3, drifts=[drift(0.15, "x")]) == []
    assert texts(narrator, 5, drifts=[drift(0.4, "x")]) == ["x moved: PSI 0.4 since 1970-01-04 (7d window)"]


def test_what_moves_much_further_is_told_again_and_so_is_its_return():
    narrator = begun()
    texts(narrator, 1, drifts=[drift(0.5, "x")])
    assert texts(narrator, 2, drifts=[drift(1.4, "x")]) == []
    assert texts(narrator, 3, drifts=[drift(1.6, "x")]) == [
        "x moved further: PSI 1.6 since 1970-01-02 (7d window)"
    ]
    assert texts(narrator, 4, drifts=[drift(0.2, "x")]) == [], "between the two thresholds nothing is said"
    assert texts(narrator, 5, drifts=[drift(0.05, "x")]) == [
        "x is back: PSI 0.05 (7d window), moved since 1970-01-02"
    ]
    assert texts(narrator, 6, drifts=[drift(0.3, "x")]) == ["x moved: PSI 0.3 since 1970-01-07 (7d window)"]


def test_a_window_of_few_records_or_little_time_is_not_spoken_of():
    moved = [drift(3.0, "x")]
    for thin in (window(samples=99.0), window(covered=0.99)):
        assert texts(begun(windows=(thin,)), 1, drifts=moved, windows=(thin,)) == []
    assert texts(begun(windows=()), 1, drifts=moved, windows=()) == []


def test_the_longest_window_that_is_covered_is_the_one_spoken_of():
    hour = structs.replace(window(name="1h"), span_seconds=3600.0)
    windows = (hour, window(covered=0.5))
    said = texts(
        begun(windows=windows), 1, drifts=[drift(3.0, "x"), drift(2.0, "x", name="1h")], windows=windows
    )
    assert said == ["x moved: PSI 2.0 since 1970-01-02 00:00 (1h window)"]


def test_what_days_differ_by_anyway_is_not_told_until_it_is_more_than_that():
    def judged(critical, state="judged", name="7d"):
        numbers = dict.fromkeys(("drift", "beyond_reference", "p_value", "adjusted_p_value"), 0.0)
        more = dict.fromkeys(("overdispersion", "reference_windows", "smallest_shift_sd", "held_ratio"), 1.0)
        return Verdict("m", "1", "weekday", "", name, state, critical_psi=critical, **numbers, **more)

    narrator = begun()
    assert texts(narrator, 1, drifts=[drift(6.9, "weekday")], verdicts=(judged(124.0),)) == []
    assert texts(narrator, 2, drifts=[drift(6.9, "weekday")], verdicts=(judged(5.0),)) == [
        "weekday moved: PSI 6.9 since 1970-01-03 (7d window)"
    ]
    # Once told it is followed until it is back.
    assert texts(narrator, 3, drifts=[drift(0.01, "weekday")], verdicts=(judged(124.0),)) == [
        "weekday is back: PSI 0.01 (7d window), moved since 1970-01-03"
    ]
    for other in (judged(124.0, state="phi_unknown"), judged(124.0, name="1d"), judged(None)):
        assert len(texts(begun(), 1, drifts=[drift(6.9, "weekday")], verdicts=(other,))) == 1


def test_a_drift_without_a_number_says_nothing():
    assert texts(begun(), 1, drifts=[drift(None, "x")]) == []


def test_errors_that_rise_and_a_model_that_is_worse_than_the_mean():
    narrator = begun(qualities=[quality(mae=70.0, r2=0.5)])
    steady = [drift(0.03, output="prediction")]
    assert texts(narrator, 1, qualities=[quality(mae=104.0, r2=0.1)]) == []
    said = texts(narrator, 2, qualities=[quality(mae=189.0, r2=-0.2)], drifts=steady)
    assert said == [
        "MAE rose from 70.0 to 189.0 (7d window); the prediction's PSI is 0.03",
        "R2 fell below 0 (-0.20, 7d window), the model is worse than the outcomes' mean; the prediction's PSI is 0.03",
    ]
    assert texts(narrator, 3, qualities=[quality(mae=190.0, r2=-0.3)]) == []
    assert texts(narrator, 4, qualities=[quality(mae=120.0, r2=0.01)]) == [
        "MAE fell from 189.0 to 120.0 (7d window)"
    ]
    assert texts(narrator, 5, qualities=[quality(mae=120.0, r2=0.06)]) == [
        "R2 is above 0 again (0.06, 7d window)"
    ]


def test_a_segment_that_fails_while_the_whole_holds():
    good = [
        quality(accuracy=0.90),
        quality("plan", "pro", accuracy=0.91),
        quality("plan", "free", accuracy=0.9),
    ]
    narrator = begun(qualities=good)
    bad = [
        quality(accuracy=0.885),
        quality("plan", "pro", accuracy=0.75),
        quality("plan", "free", accuracy=0.89),
    ]
    assert texts(narrator, 1, qualities=bad) == [
        "plan=pro fails: accuracy 75% after 91%, while the whole model's is 88% (7d window)"
    ]
    assert texts(narrator, 2, qualities=bad) == []


def test_accuracy_that_falls_as_a_whole_is_not_a_segments_fault():
    narrator = begun(qualities=[quality(accuracy=0.9), quality("plan", "pro", accuracy=0.9)])
    said = texts(narrator, 1, qualities=[quality(accuracy=0.8), quality("plan", "pro", accuracy=0.7)])
    assert said == ["accuracy fell from 90.0% to 80.0% (7d window)"]


def beside(row, **reaches):
    """The interval of a row of quality: each number and its reach."""
    ends = {f"{name}_low": getattr(row, name) - reach for name, reach in reaches.items()}
    ends |= {f"{name}_high": getattr(row, name) + reach for name, reach in reaches.items()}
    return QualityInterval(
        "m", "1", "7d", Cohort.ARRIVED, row.segment, row.segment_value, "", "jackknife", 8.0, **ends
    )


@pytest.mark.parametrize(("reach", "told"), [(0.06, False), (0.006, True)])
def test_a_fall_that_chance_explains_is_not_told(reach, told):
    """By hand: 72.5% to 68.6% of 210 outcomes each reach 6 points; of 21,000 outcomes 0.6."""
    before, after = quality(accuracy=0.725), quality(accuracy=0.686)
    narrator = begun(qualities=[before], intervals=(beside(before, accuracy=reach),))
    said = texts(narrator, 1, qualities=[after], intervals=(beside(after, accuracy=reach),))
    assert bool(said) == told


@pytest.mark.parametrize(("reach", "told"), [(0.09, False), (0.02, True)])
def test_a_segment_of_few_outcomes_does_not_fail_by_chance(reach, told):
    whole = quality(accuracy=0.8)
    before, after = (quality("plan", "pro", accuracy=a) for a in (0.82, 0.70))
    narrator = begun(qualities=[whole, before], segment_intervals=(beside(before, accuracy=reach),))
    said = texts(narrator, 1, qualities=[whole, after], segment_intervals=(beside(after, accuracy=reach),))
    assert bool(said) == told


def test_errors_with_a_heavy_tail_are_not_told_to_have_risen():
    before, after = quality(mae=10.0), quality(mae=16.0)
    narrator = begun(qualities=[before], intervals=(beside(before, mae=4.0),))
    assert texts(narrator, 1, qualities=[after], intervals=(beside(after, mae=5.0),)) == []
    assert len(texts(narrator, 2, qualities=[after], intervals=(beside(after, mae=1.0),))) == 1


def test_a_segment_whose_value_is_not_known_well_does_not_cost_most():
    worst_one = worst("pro", 0.5)

    def money(reach):
        mine = BusinessValue(
            "m", "1", "7d", Cohort.ARRIVED, "plan", "pro", 100.0, 50.0, 50.0 - reach, 50.0 + reach, 0.5
        )
        return {"value": (worth(2_000.0, 2.0),), "segment_value": (mine,), "worst_segments": (worst_one,)}

    narrator = begun()
    assert texts(narrator, 1, **money(120.0)) == []
    assert len(texts(narrator, 2, **money(90.0))) == 1


def test_few_outcomes_say_nothing():
    narrator = begun(qualities=[quality(mae=70.0, samples=99.0)])
    assert texts(narrator, 1, qualities=[quality(mae=700.0, samples=99.0)]) == []


def test_models_and_versions_are_told_apart_and_notices_are_bounded():
    narrator = Narrator()
    for i in range(KEPT_NOTICES + 50):
        one = snapshot(0).versions[0]
        twin = replace(one, state=structs.replace(one.state, model_version=str(i)))
        assert len(narrator.hear(Snapshot(WALL, 0.0, (twin,)))) == 1
    assert len(narrator.notices) == KEPT_NOTICES


def test_of_versions_that_are_gone_nothing_is_remembered_but_a_store_that_opens_again_forgets_none():
    narrator = Narrator()
    one = snapshot(0)
    twin = replace(one.versions[0], state=structs.replace(one.versions[0].state, model_version="2"))
    for heard, said in (
        (one, 1),
        (Snapshot(WALL, 0.0, ()), 0),
        (one, 0),
        (Snapshot(WALL, 0.0, (twin,)), 1),
        (one, 1),
    ):
        assert len(narrator.hear(heard)) == said


# --- detectors on the errors ------------------------------------------------------------------


def detector(detections, day=None, name="adwin"):
    at = None if day is None else day * DAY
    return Detector("m", "1", name, 5_000.0, 0.0, float(detections), at)


def test_what_detectors_find_is_one_sentence_for_all_that_fired():
    narrator = begun(detectors=[detector(0), detector(0, name="page_hinkley"), detector(0, name="ddm")])
    fired = [detector(1, 9.5), detector(1, 9.9, name="page_hinkley"), detector(0, name="ddm")]
    assert texts(narrator, 10, detectors=fired) == [
        "the errors changed since 1970-01-10, by adwin, page_hinkley"
    ]
    assert texts(narrator, 11, detectors=fired) == []


def test_detectors_that_fire_in_vain_now_and_then_are_not_told_without_adwin():
    names = ("adwin", "page_hinkley", "ddm")
    narrator = begun(detectors=[detector(0, name=name) for name in names])
    alone = [detector(0), detector(1, 9.5, name="page_hinkley"), detector(2, 9.5, name="ddm")]
    assert texts(narrator, 10, detectors=alone) == []
    assert texts(narrator, 11, detectors=[detector(1, 10.5), *alone[1:]]) == [
        "the errors changed since 1970-01-11, by adwin"
    ]


def test_detections_of_before_are_not_news():
    assert texts(begun(detectors=[detector(4, 0)]), 1, detectors=[detector(4, 0)]) == []


def test_a_detector_that_keeps_firing_is_told_once_a_window():
    narrator = begun(detectors=[detector(0)])
    told = [bool(texts(narrator, day, detectors=[detector(day, day)])) for day in range(1, 16)]
    assert [day for day, said in enumerate(told, 1) if said] == [1, 8, 15]


def test_the_segment_that_costs_most_is_named_once_and_again_when_it_is_another():
    def money(segment_value, gap):
        return {
            "value": (worth(2_000.0, 2.0), worth(500.0, None, "pro"), worth(1_500.0, None, "free")),
            "segment_value": (worth(500.0, 0.5, "pro"), worth(1_500.0, 3.0, "free")),
            "worst_segments": (worst(segment_value, gap),),
            "value_info": (ValueInfo("m", "1", "EUR", 1.0),),
        }

    narrator = begun()
    assert texts(narrator, 1, **money("pro", 0.19)) == []
    assert texts(narrator, 2, **money("pro", 0.21)) == [
        "plan=pro costs most: 0.50 EUR a record, where the whole model has 2.00 (7d window)"
    ]
    assert texts(narrator, 3, **money("pro", 0.5)) == []
    assert texts(narrator, 4, **money("free", 0.3)) == [
        "plan=free costs most: 3.00 EUR a record, where the whole model has 2.00 (7d window)"
    ]
    assert texts(narrator, 5, **money("free", 0.1)) == []
    assert len(texts(narrator, 6, **money("free", 0.3))) == 1


def relation(feature, verdict, shift=0.5, name="7d"):
    state = "" if verdict is None else "judged"
    return RelationShift("m", "1", feature, name, "", (), state, 1_000.0, shift, verdict=verdict)


def related(narrator, day, *rows):
    return texts(narrator, day, relation_shifts=rows)


def test_a_relation_that_changed_is_told_once_and_so_is_its_return():
    narrator = begun()
    assert related(narrator, 1, relation("age", 0.0), relation("income", None, 2.0)) == []
    assert related(narrator, 2, relation("age", 1.0), relation("income", None, 2.0)) == [
        "the outcome depends on age (shift 0.50) otherwise than in the reference (7d window)"
    ]
    assert related(narrator, 3, relation("age", 1.0, 0.9)) == []
    assert related(narrator, 4, relation("age", None)) == [], "what can't be judged now has not come back"
    assert related(narrator, 5, relation("age", 1.0)) == []
    assert related(narrator, 6, relation("age", 0.0)) == [
        "the outcome depends on age as in the reference again (7d window)"
    ]
    assert related(narrator, 7, relation("age", 0.0)) == []


def test_relations_that_change_at_once_are_one_sentence_the_furthest_first():
    narrator = begun()
    rows = [relation(f"x{i}", 1.0, i / 10) for i in range(6)]
    assert related(narrator, 1, *rows, relation("y", 1.0, 9.0, name="30d")) == [
        "the outcome depends on x5 (shift 0.50), x4 (shift 0.40), x3 (shift 0.30), x2 (shift 0.20) and 2 more "
        "otherwise than in the reference (7d window)"
    ]
