"""What every detector keeps: any cut of a stream finds the same, saved in the middle too; bad input is refused.

That each detection is right is for tests/golden/test_detectors.py, which compares them with River's.
"""

from itertools import chain

import numpy as np
import pytest
from scipy import stats as scipy_stats

from driftgauge.config import DetectorName
from driftgauge.stats.detectors import DETECTORS, EDDM, KSWIN, Adwin, Found, PageHinkley, State
from driftgauge.stats.detectors.kswin import critical_steps

WORSE = {"adwin", "page_hinkley", "ddm", "eddm", "kswin", "hddm_a", "hddm_w"}
BETTER = {"adwin", "page_hinkley", "kswin"}


def errors(*rates, n=1_000, seed=5):
    """0 and 1, *n* of each rate in turn."""
    rng = np.random.default_rng(seed)
    return (rng.random(n * len(rates)) < np.repeat(rates, n)).astype(np.float64)


def read(detector, values, sizes):
    """Detections and warnings of *values* in batches of these *sizes*, by their place in the stream."""
    detections, warnings, at = [], [], 0
    while at < values.size:
        size = next(sizes)
        found = detector.update(values[at : at + size])
        detections += [at + place for place in found.detections]
        warnings += [at + place for place in found.warnings]
        at += size
    return Found(tuple(detections), tuple(warnings))


@pytest.fixture(params=DETECTORS)
def name(request):
    return request.param


def test_the_configuration_names_every_detector():
    assert list(DETECTORS) == list(DetectorName)


@pytest.mark.parametrize("largest", [1, 7, 90, 3_000])
def test_a_stream_in_any_batches_gives_the_same_detections_and_the_same_state(name, largest):
    rng = np.random.default_rng(largest)
    values = errors(0.1, 0.5, 0.2, 0.6)
    whole, cut = DETECTORS[name](), DETECTORS[name]()
    found = whole.update(values)
    assert found.detections, "a stream without a detection shows nothing"
    assert read(cut, values, iter(lambda: int(rng.integers(1, largest + 1)), 0)) == found
    assert (cut.seen, cut.detections, cut.last, cut.state) == (4_000, *_told(found), whole.state)
    assert cut.to_bytes() == whole.to_bytes()


def _told(found):
    return len(found.detections), found.detections[-1]


def test_real_values_in_any_batches_give_the_same_bits(name):
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.beta(2, 8, 2_000), rng.beta(6, 4, 2_000)])
    whole, cut = DETECTORS[name](), DETECTORS[name]()
    found = whole.update(values)
    assert bool(found.detections) == (name != "eddm")
    assert read(cut, values, iter(lambda: int(rng.integers(1, 200)), 0)) == found
    assert cut.to_bytes() == whole.to_bytes()


def test_a_detector_saved_anywhere_goes_on_as_if_nothing_had_been(name):
    values = errors(0.1, 0.5, 0.2, 0.6)
    whole, held = DETECTORS[name](), DETECTORS[name]()
    found = whole.update(values)
    detections, warnings = [], []
    for at in range(0, values.size, 97):
        twin = DETECTORS[name]()
        twin.load(held.to_bytes())
        assert (twin.seen, twin.detections, twin.last, twin.state) == (
            held.seen, held.detections, held.last, held.state,
        )  # fmt: skip
        held = twin
        part = held.update(values[at : at + 97])
        detections += [at + place for place in part.detections]
        warnings += [at + place for place in part.warnings]
    assert Found(tuple(detections), tuple(warnings)) == found


def test_a_detector_saved_at_a_detection_begins_anew(name):
    values = errors(0.1, 0.6)
    first = DETECTORS[name]().update(values).detections[0]
    one = DETECTORS[name]()
    one.update(values[: first + 1])
    assert (one.state, one.last) == (State.DRIFT, first)
    twin = DETECTORS[name]()
    twin.load(one.to_bytes())
    fresh = DETECTORS[name]()
    rest = errors(0.2, 0.2, seed=8)
    assert twin.update(rest) == fresh.update(rest)
    assert twin.state is not State.DRIFT


def test_a_rise_of_the_error_rate_is_found_by_all_and_a_fall_by_the_two_sided(name):
    for rates, answering in (((0.05, 0.6), WORSE), ((0.6, 0.05), BETTER)):
        found = DETECTORS[name]().update(errors(*rates, n=2_000))
        assert any(2_000 <= place < 2_400 for place in found.detections) == (name in answering), rates


def test_the_state_stays_small_however_long_the_stream(name):
    held = DETECTORS[name]()
    for _ in range(20):
        held.update(errors(0.3, n=10_000, seed=1))
    assert len(held.to_bytes()) <= 2_000


def test_an_empty_batch_changes_nothing(name):
    held = DETECTORS[name]()
    held.update(errors(0.3, n=333))
    before = held.to_bytes()
    assert held.update([]) == Found((), ())
    assert held.to_bytes() == before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0.0, 1.0]], r"expected one axis, found shape \(1, 2\)"),
        ([0.0, np.nan], "expected finite numbers, found NaN or infinity"),
        ([0.0, np.inf], "expected finite numbers, found NaN or infinity"),
    ],
)
def test_values_that_are_no_errors_are_refused(name, values, message):
    with pytest.raises(ValueError, match=message):
        DETECTORS[name]().update(values)


def test_values_out_of_bounds_are_refused_where_the_bound_matters(name):
    held = DETECTORS[name]()
    if held.bounded:
        with pytest.raises(ValueError, match="expected numbers from 0 to 1"):
            held.update([0.5, 1.5])
    else:
        assert held.update([0.5, 1.5]).detections == ()


@pytest.mark.parametrize("data", [b"", b"short", bytes(25), bytes(25 + 7), bytes(25 + 8 * 200)])
def test_bytes_that_are_no_state_are_refused(name, data):
    with pytest.raises(ValueError, match=r"can't be read|unpack"):
        DETECTORS[name]().load(data)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("adwin", {"delta": 0.0}),
        ("page_hinkley", {"threshold": 0.0}),
        ("page_hinkley", {"threshold": np.nan}),
        ("page_hinkley", {"delta": np.nan}),
        ("page_hinkley", {"alpha": 1.1}),
        ("ddm", {"warning": 4.0}),
        ("eddm", {"drift": 0.99}),
        ("kswin", {"window": 40}),
        ("kswin", {"samples": np.zeros((3, 29))}),
        ("kswin", {"samples": np.full((3, 30), 70)}),
        ("kswin", {"samples": np.full((3, 30), -1)}),
        ("hddm_a", {"drift": 0.1}),
        ("hddm_w", {"rate": 1.0}),
    ],
)
def test_parameters_that_make_no_sense_are_refused(kind, parameters):
    with pytest.raises(ValueError, match=rf"\b{next(iter(parameters))}\b.*: expected .*, found "):
        DETECTORS[kind](**parameters)


# --- one by one -------------------------------------------------------------------------------


def adwin_by_hand(values, delta=0.002):
    """The first detection, from the paper's description: buckets kept one by one, every cut in turn."""
    rows, n = [[]], 0
    for n, value in enumerate(values, 1):
        rows[0].append([value])
        for row, buckets in enumerate(rows):
            if len(buckets) == 6:
                if row + 1 == len(rows):
                    rows.append([])
                rows[row + 1].append(buckets.pop(0) + buckets.pop(0))
        if n % 32:
            continue
        window = [bucket for buckets in reversed(rows) for bucket in buckets]
        everything = list(chain.from_iterable(window))
        for cut in range(1, len(window)):
            older, newer = (list(chain.from_iterable(side)) for side in (window[:cut], window[cut:]))
            if min(len(older), len(newer)) < 5:
                continue
            m = 1 / (len(older) - 4) + 1 / (len(newer) - 4)
            sure = np.log(2 * np.log(n) / delta)
            bound = np.sqrt(2 * m * np.var(everything) * sure) + 2 / 3 * m * sure
            if abs(np.mean(older) - np.mean(newer)) > bound:
                return n - 1
    return None


@pytest.mark.parametrize("jumped", range(4, 15))
def test_adwin_judges_short_ends_of_a_window_as_by_hand(jumped):
    for size, before in ((0.7, 0.0), (7.0, 0.0), (100.0, 0.0), (100.0, -300.0)):
        jump = np.concatenate([np.full(2, before), np.full(jumped, size)])
        values = np.concatenate([np.zeros(320 - jump.size), jump, np.zeros(64)])
        found = Adwin().update(values).detections
        assert next(iter(found), None) == adwin_by_hand(values), (size, before)


def test_adwin_finds_the_same_whatever_is_added_to_all_values():
    values = errors(0.2, 0.5)
    assert Adwin().update(values + 1e9).detections == Adwin().update(values).detections != ()


def test_adwin_is_surer_with_a_smaller_delta():
    values = errors(0.2, 0.4)
    first = [Adwin(delta).update(values).detections[0] for delta in (0.5, 1e-6)]
    assert first[0] < first[1]


def test_page_hinkley_forgives_a_change_as_small_as_its_delta():
    values = np.concatenate([np.full(1_000, 0.1), np.full(5_000, 0.3)])
    assert PageHinkley(threshold=20).update(values).detections
    assert not PageHinkley(threshold=20, delta=0.3).update(values).detections


def test_eddm_counts_values_of_1_alone():
    values = errors(0.1, 0.5)
    assert EDDM().update(np.where(values == 1, 1.0, 0.9)) == EDDM().update(values)


@pytest.mark.parametrize("alpha", [0.05, 0.005, 1e-4, 1e-9])
@pytest.mark.parametrize("size", [10, 30])
def test_the_critical_distance_of_kswin_is_that_of_scipys_exact_p_value(size, alpha):
    """Two samples that differ by so many steps: all of the first below the second's first ones."""
    accepted = []
    for steps in range(size // 10 + 1, size + 1):
        first = np.arange(size, dtype=float)
        second = np.concatenate([np.arange(size - steps) + 0.5, np.arange(steps) + 10.0 * size])
        found = scipy_stats.ks_2samp(first, second, method="exact")
        assert found.statistic == pytest.approx(steps / size)
        accepted += [steps] if found.pvalue <= alpha else []
    assert critical_steps(size, alpha) == min(accepted, default=size + 1)


@pytest.mark.parametrize(("size", "alpha"), [(0, 0.1), (30, 0.0), (30, 1.0), (30, np.nan)])
def test_a_critical_distance_of_nothing_is_refused(size, alpha):
    with pytest.raises(ValueError, match="size, alpha: expected at least 1"):
        critical_steps(size, alpha)


@pytest.mark.parametrize("alpha", [0.3, 0.005])
def test_kswin_decides_as_scipy_does_on_values_with_ties(alpha):
    rng = np.random.default_rng(11)
    draws = np.stack([rng.permutation(70)[:30] for _ in range(50)])
    for shift in (0.0, 1.0, 2.0):
        window = np.round(np.concatenate([rng.normal(size=70), rng.normal(shift, size=30)]), 1)
        for draw in draws:
            found = KSWIN(alpha=alpha, samples=draw[None]).update(window).detections
            test = scipy_stats.ks_2samp(window[draw], window[70:], method="exact")
            assert (found == (99,)) == (test.pvalue <= alpha and test.statistic > 0.1)
