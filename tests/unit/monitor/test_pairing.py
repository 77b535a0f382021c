"""Cases that two versions answered are counted once, in whatever order what makes them comes."""

import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import DAY, HOUR, Config, Limits, Model, Outcomes, Task
from driftgauge.monitor import expiry, saving
from driftgauge.monitor.models import Models
from driftgauge.monitor.pairing import owners
from driftgauge.monitor.update import Prepared, encode
from driftgauge.windows import Part

RNG = np.random.default_rng


def driver(task=Task.BINARY, **of_outcomes):
    told = Outcomes(horizon=2 * DAY, **of_outcomes)
    model = Model(task=task, windows=(HOUR, DAY), outcomes=told)
    return Driver(Config(models={"m": model}, limits=Limits(classes=4, versions=3)))


def counted(held, version="2", window=1):
    """The paired row of a window, by block; None without one."""
    view = held.view(version)
    row, layout = view.windows[window].paired, None if view.paired is None else view.paired.layout
    if row is None:
        return None
    return {name: layout.count(row, name).copy() for name in layout.counts} | {
        name: layout.sum(row, name).copy() for name in layout.sums
    }


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-9, atol=1e-12, err_msg=name)


def shadow(rng, n):
    """Ids, times, two scores and the outcome of n cases."""
    ids = [f"i{i}" for i in range(n)]
    times = WALL - 3 * HOUR + np.linspace(0, 2.5 * HOUR, n)
    hidden = rng.random(n)
    scores = [np.clip(hidden + rng.normal(0, s, n), 0.01, 0.99) for s in (0.3, 0.1)]
    return ids, times, scores, (rng.random(n) < hidden).astype(int)


def expected(scores, came, chosen=slice(None)):
    """By hand, of the chosen cases."""
    one, two, y = scores[0][chosen], scores[1][chosen], came[chosen]
    right = np.zeros((2, 2), int)
    np.add.at(right, (((one >= 0.5) == y).astype(int), ((two >= 0.5) == y).astype(int)), 1)
    brier = (two - y) ** 2 - (one - y) ** 2
    loss = -np.log(np.where(y, two, 1 - two)) + np.log(np.where(y, one, 1 - one))
    return {
        "pairs": np.array([y.size]),
        "right": right,
        "brier": np.array([brier.sum(), np.square(brier).sum()]),
        "log_loss": np.array([loss.sum(), np.square(loss).sum()]),
    }


def assert_expected(found, scores, came, chosen=slice(None)):
    wanted = expected(scores, came, chosen)
    assert_equal({name: found[name] for name in wanted}, wanted)


def send_both(held, ids, times, scores, **more):
    held.send(predictions(ids, times, version="1", score=scores[0], **more))
    held.send(predictions(ids, times, version="2", score=scores[1], **more))


def test_one_outcome_for_both_makes_a_case():
    held = driver()
    ids, times, scores, came = shadow(RNG(1), 300)
    send_both(held, ids, times, scores)
    assert counted(held) is None
    held.send(outcomes(ids, came.tolist(), times + 60))
    assert_expected(counted(held), scores, came)
    assert counted(held, "1") is None, "the older one is not compared with anything"
    held.send(outcomes(ids, came.tolist(), times + 60))
    held.send(predictions(ids, times, version="2", score=scores[1]))
    assert_expected(counted(held), scores, came)


ORDERS = {
    "outcomes between": "1o2",
    "outcomes first": "o12",
    "outcomes first, newer first": "o21",
    "each version told for itself": "12ab",
    "the newer one told first": "12ba",
    "told as soon as it has answered": "1a2b",
    "told before they answer": "ab12",
    "both in one round after the outcome": "o(12)",
    "both in one round, each with its outcome": "(xy)",
    "one with its outcome, then the other": "xy",
    "one with its outcome, the other told": "x2b",
    "the other told, then one with its outcome": "1ay",
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_the_order_makes_no_difference(order):
    rng = RNG(2)
    ids, times, scores, came = shadow(rng, 200)
    held = driver()
    # Which version is the newer one is told by its first record.
    seed = WALL - 3 * HOUR
    for version in ("1", "2"):
        held.send(predictions([f"seed{version}"], [seed], version=version, score=[0.5]))

    def batch(kind):
        values = came.tolist()
        own = {"outcome": values} if kind in "xy" else {}
        if kind in "12xy":
            version = "1" if kind in "1x" else "2"
            score = scores[int(version) - 1]
            return predictions(ids, times, version=version, score=score, **own)
        return outcomes(ids, values, times + 60, version={"a": "1", "b": "2", "o": None}[kind])

    together = []
    inside = False
    for kind in order:
        if kind in "()":
            inside = kind == "("
            if not inside:
                held.send(*together)
        elif inside:
            together.append(batch(kind))
        else:
            held.send(batch(kind))
    assert_expected(counted(held), scores, came)
    assert_equal(counted(held.restarted()), counted(held))


def test_cases_of_one_version_alone_and_of_two_outcomes_are_none():
    ids, times, scores, came = shadow(RNG(3), 100)
    held = driver()
    held.send(predictions(ids[:60], times[:60], version="1", score=scores[0][:60]))
    held.send(predictions(ids[40:], times[40:], version="2", score=scores[1][40:]))
    held.send(outcomes(ids, came.tolist(), times + 60))
    assert_expected(counted(held), scores, came, slice(40, 60))

    held = driver()
    send_both(held, ids, times, scores)
    held.send(outcomes(ids, came.tolist(), times + 60, version="1"))
    other = came.copy()
    other[:30] = 1 - other[:30]
    held.send(outcomes(ids, other.tolist(), times + 60, version="2"))
    assert_expected(counted(held), scores, came, slice(30, None))

    held = driver()
    send_both(held, ids, times, scores)
    late = times + np.where(np.arange(100) < 20, 3 * DAY, 60)
    held.send(outcomes(ids, came.tolist(), np.minimum(late, WALL), score=scores[0], version="1"))
    assert counted(held) is None, "an outcome with a prediction of its own"


def test_an_outcome_past_the_horizon_makes_no_case():
    ids, times, scores, came = shadow(RNG(4), 50)
    held = driver()
    early = times - np.where(np.arange(50) < 10, 2 * DAY, 0)
    send_both(held, ids, early, scores)
    held.send(outcomes(ids, came.tolist(), times + 60))
    assert_expected(counted(held), scores, came, slice(10, None))


def test_revised_outcomes_are_as_if_they_had_been_the_first():
    rng = RNG(5)
    ids, times, scores, came = shadow(rng, 300)
    again = rng.random(300) < 0.3
    last = np.where(again, rng.integers(0, 2, 300), came)
    later = np.flatnonzero(again)
    for version in (None, "each"):
        held, once = driver(revisions=True), driver(revisions=True)
        for each in (held, once):
            send_both(each, ids, times, scores)
        for named in ("1", "2") if version else (None,):
            held.send(outcomes(ids, came.tolist(), times + 60, version=named))
        for named in ("2", "1") if version else (None,):
            held.send(
                outcomes([ids[i] for i in later], last[later].tolist(), times[later] + 90, version=named)
            )
        once.send(outcomes(ids, last.tolist(), times + 60))
        assert_equal(counted(held), counted(once))
        assert_expected(counted(held), scores, last)
        assert_equal(counted(held.restarted()), counted(once))
        for series in ("fine", "coarse"):
            panes = [
                {
                    k: v
                    for k, v in getattr(each.version(version="2"), series).hot.items()
                    if k[0] is Part.PAIRED
                }
                for each in (held, once)
            ]
            assert panes[0].keys() == panes[1].keys()
            for key, row in panes[0].items():
                np.testing.assert_array_equal(row.counts, panes[1][key].counts)
                np.testing.assert_allclose(row.sums, panes[1][key].sums, atol=1e-9)


def test_one_of_two_told_otherwise_takes_the_case_away():
    ids, times, scores, came = shadow(RNG(6), 100)
    held = driver(revisions=True)
    send_both(held, ids, times, scores)
    for version in ("1", "2"):
        held.send(outcomes(ids, came.tolist(), times + 60, version=version))
    held.send(outcomes(ids[:40], (1 - came[:40]).tolist(), times[:40] + 90, version="2"))
    assert_expected(counted(held), scores, came, slice(40, None))


@pytest.mark.parametrize("first", ["1", "2"])
def test_silence_makes_a_case_once(first):
    rng = RNG(7)
    ids, times, scores, _ = shadow(rng, 80)
    held = driver(at_horizon="0")
    send_both(held, ids, times - 2 * DAY - HOUR, scores)
    now = held.model().now(WALL)
    for name in (first, "2" if first == "1" else "1"):
        version = held.version(version=name)
        log = version.plain
        rows = log.at(0, log.next_row)
        update, tally = expiry.expired_predictions(
            held.model(), version, log, now, [rows.view(np.uint8).reshape(rows.size, -1)]
        )
        assert tally.implied == 80
        held.committed.append(encode((update,)))
        held.models.apply(Prepared((update,), (), (), np.zeros(1, int), np.zeros(1, int), ()))
        held.shelf.drop(log.log, log.next_row)
        log.forget(log.next_row)
    assert_expected(counted(held), scores, np.zeros(80, int))
    assert_equal(counted(held.restarted()), counted(held))


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.REGRESSION])
def test_other_tasks(task):
    rng = RNG(8)
    n = 120
    ids = [f"i{i}" for i in range(n)]
    times = WALL - 2 * HOUR + np.arange(n)
    held = driver(task)
    if task is Task.REGRESSION:
        y, made = rng.normal(0, 1, n), rng.normal(0, 1, (2, n))
        for place, version in enumerate("12"):
            held.send(predictions(ids, times, version=version, prediction=made[place].tolist()))
        held.send(outcomes(ids, y.tolist(), times + 60))
        one, two = np.abs(made - y)
        assert_equal(
            counted(held),
            {
                "pairs": np.array([n]),
                "errors": np.array([n]),
                "absolute": np.array([(two - one).sum(), np.square(two - one).sum()]),
                "square": np.array([(two**2 - one**2).sum(), np.square(two**2 - one**2).sum()]),
            },
        )
        return
    y, shares = rng.integers(0, 3, n), rng.dirichlet(np.ones(3), (2, n))
    names = np.array(["a", "b", "c"])
    held.send(predictions(["s1", "s2", "s3"], times[:3], version="1", prediction=names.tolist()))
    for place, version in enumerate("12"):
        named = {str(name): shares[place, :, k] for k, name in enumerate(names)}
        held.send(predictions(ids, times, version=version, scores=named))
    held.send(outcomes(ids, names[y].tolist(), times + 60))
    own = np.eye(3)[y]
    brier = [np.square(s - own).sum(axis=1) for s in shares]
    loss = [-np.log(s[np.arange(n), y]) for s in shares]
    right = [s.argmax(axis=1) == y for s in shares]
    table = np.zeros((2, 2), int)
    np.add.at(table, tuple(r.astype(int) for r in right), 1)
    wanted = {"pairs": np.array([n]), "scored": np.array([n]), "right": table}
    for name, (one, two) in (("brier", brier), ("log_loss", loss)):
        wanted[name] = np.array([(two - one).sum(), np.square(two - one).sum()])
    assert_equal(counted(held), wanted)


def test_a_third_version_is_paired_with_the_second_and_nothing_is_mixed():
    ids, times, scores, came = shadow(RNG(9), 100)
    held = driver()
    send_both(held, ids, times, scores)
    held.send(outcomes(ids[:50], came[:50].tolist(), times[:50] + 60))
    held.send(predictions(ids[50:], times[50:], version="3", score=scores[0][50:]))
    held.send(outcomes(ids[50:], came[50:].tolist(), times[50:] + 60))
    assert_expected(counted(held, "2"), scores, came, slice(0, 50))
    assert_expected(counted(held, "3"), scores[::-1], came, slice(50, None))
    assert (held.view("3").paired_with, held.view("2").paired_with) == ("2", "1")
    # The second goes: the first is the one before the third from now on.
    model = held.model()
    gone = model.versions.pop("2")
    held.send(outcomes(["x"], [1], version="1"))
    held.send(predictions(["new"], [WALL - 60], version="1", score=[0.2]))
    held.send(predictions(["new"], [WALL - 60], version="3", score=[0.3]))
    held.send(outcomes(["new"], [1], [WALL]))
    assert counted(held, "3")["pairs"] == [1]
    assert held.view("3").paired_with == "1"
    assert gone.pairing.older


def test_a_checkpoint_keeps_what_pairs_stand_on():
    ids, times, scores, came = shadow(RNG(10), 100)
    held = driver()
    send_both(held, ids, times, scores)
    held.send(outcomes(ids, came.tolist(), times + 60))
    version = held.version(version="2")
    for pane in saving.dirty_panes(version):
        held.shelf.panes[pane.owner, pane.resolution, pane.start, pane.part] = pane.row
        if pane.part == Part.PAIRED:
            assert owners(pane.row) == (held.version().owner, 0)
    states = {k: v for k, v in saving.states(held.models).items() if v is not None}
    twin = Driver(held.config, shelf=held.shelf)
    twin.models = Models(held.config, held.shelf, b"k" * 32)
    saving.restore(twin.models, states)
    assert_expected(counted(twin), scores, came)
