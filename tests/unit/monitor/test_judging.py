"""Verdicts as the writer takes them: at every closed pane, held, kept, and why there is none."""

import msgspec
import numpy as np
import pytest
from tests.unit.monitor.driving import WALL, Driver, predictions

from driftgauge import reference as references
from driftgauge.config import DAY, HOUR, Clock, Config, Feature, FeatureKind, Task
from driftgauge.config import Model as ModelConfig
from driftgauge.evaluate.verdicts import verdicts
from driftgauge.judged import JUDGED, Judged
from driftgauge.monitor import judging, saving
from driftgauge.monitor.models import Models
from driftgauge.monitor.update import encode
from driftgauge.sketches.learning import Learning

BEGIN = 100 * DAY
EACH = 60


def values(rng, n, shift=0.0):
    return {"x": rng.normal(shift, 1, n), "still": rng.normal(0, 1, n), "constant": np.ones(n)}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Ten whole days of reference, as the profiler makes it."""
    path = tmp_path_factory.mktemp("judging") / "reference.json"
    path.write_bytes(references.to_json(made(10)))
    return path


def made(days, first=0.0):
    rng = np.random.default_rng(1)
    learning, rows = Learning(10), {}
    for day in range(days):
        numeric = {"f:" + name: column for name, column in values(rng, 1_440).items()}
        texts = {
            "f:code": [f"{day}-{i}" for i in range(1_440)],
            "f:plan": rng.choice(["a", "b"], 1_440).tolist(),
        }
        rows[day] = learning.row(tuple(numeric), np.array(list(numeric.values())), texts, 1_440, {})
    declared = {"code": Feature(kind=FeatureKind.IDENTIFIER)}
    return references.build(rows, first=first, last=days * DAY - 1, declared=declared, category_limit=50)


def driver(path, **model):
    settings = {"task": Task.BINARY, "clock": Clock.RECORDS, "windows": (3 * HOUR, DAY), **model}
    return Driver(Config(models={"m": ModelConfig(reference=path, **settings)}))


def feed(held, begin, end, *, shift=0.0, each=EACH):
    """*each* records an hour from hour *begin* to *end*, and what the writer does after each batch."""
    for hour in range(begin, end):
        send(held, hour, hour + 1, shift=shift, each=each)
        settle(held)


def send(held, begin, end, *, shift=0.0, each=EACH):
    rng = np.random.default_rng([begin, end])
    n = each * (end - begin)
    held.send(
        predictions(
            [f"{begin}-{i}" for i in range(n)],
            BEGIN + begin * HOUR + np.sort(rng.uniform(0, (end - begin) * HOUR, n)),
            numeric=values(rng, n, shift),
            categorical={
                "code": [f"c{begin}-{i}" for i in range(n)],
                "plan": rng.choice(["a", "b"], n).tolist(),
            },
        )
    )


def settle(held):
    update = judging.step(held.version(), held.model().now(WALL))
    if update is not None:
        held.committed.append(encode((update,)))
        held.models.take((update,))
    return update


def rows(held, window="1d"):
    found = verdicts(held.view())
    return {v.feature or v.output: v for v in found.rows if v.window == window}


def summary(held, window="1d"):
    return next(s for s in verdicts(held.view()).summaries if s.window == window)


@pytest.fixture(scope="module")
def story(reference):
    """Two days as the reference, then a shift of x by 0.35; verdicts by hour."""
    held = driver(reference)
    feed(held, 0, 48)
    seen = [rows(held)]
    for hour in range(48, 90):
        feed(held, hour, hour + 1, shift=0.35)
        seen.append(rows(held))
    return held, seen


def test_a_verdict_comes_when_it_has_held_for_half_a_window_or_is_plain(story):
    _, seen = story
    assert {row.drift for row in seen[0].values() if row.state == "judged"} == {0.0}
    first = next(i for i, now in enumerate(seen) if now["x"].drift)
    before = [now["x"] for now in seen[:first]]
    ratios = [row.held_ratio for row in before]
    assert seen[first]["x"].held_ratio == 1.0 or seen[first]["x"].p_value < 1e-6
    assert max(ratios) > 0
    assert all(row.drift == 0.0 for row in before)
    assert seen[-1]["x"].drift == 1.0
    assert seen[-1]["x"].adjusted_p_value <= 0.001
    assert all(now[name].drift == 0.0 for now in seen for name in ("still", "plan", "constant"))


def test_what_a_verdict_stands_on_is_told(story):
    held, seen = story
    row = seen[-1]["x"]
    assert row.reference_windows == 10
    assert 1.0 <= row.overdispersion < 1.5
    assert 0.1 < row.smallest_shift_sd < 0.35
    assert 0 < row.critical_psi < 0.1
    assert 0 < row.critical_ks < 0.2
    assert seen[-1]["plan"].smallest_shift_sd is None
    whole = summary(held)
    assert (whole.state, whole.judged_features, whole.drifted_ratio) == ("judged", 4, 0.25)
    assert whole.overdispersion_max >= row.overdispersion


def test_identifiers_and_short_windows_are_not_judged(story):
    held, seen = story
    assert (seen[-1]["code"].state, seen[-1]["code"].drift) == ("identifier", None)
    assert not rows(held, "3h")
    assert summary(held, "3h").state == "short_window"


def test_a_replay_and_a_checkpoint_give_the_same_verdicts(story):
    held, _ = story
    wanted = held.version().judged
    assert held.restarted().version().judged == wanted
    states = {k: v for k, v in saving.states(held.models).items() if v is not None}
    twin = Models(held.config, held.shelf, b"k" * 32)
    saving.restore(twin, states)
    assert twin.models["m"].versions["1"].judged == wanted


def test_a_verdict_ends_when_the_window_is_as_before(story):
    held, _ = story
    feed(held, 90, 115)
    assert rows(held)["x"].drift == 0.0
    assert rows(held)["x"].held_ratio == 0.0


def test_edges_that_a_batch_jumps_over_are_judged_too(reference):
    slow, fast = driver(reference), driver(reference)
    for held in (slow, fast):
        feed(held, 0, 24)
    for hour in range(24, 40):
        send(fast, hour, hour + 1, shift=0.45)  # nothing is judged in between
        feed(slow, hour, hour + 1, shift=0.45)
    settle(fast)
    first, second = (held.version().judged["1d"] for held in (slow, fast))
    assert first.edge == second.edge
    for field in ("run", "drift", "beyond_run", "state", "p"):
        assert repr(first.table[field].tolist()) == repr(second.table[field].tolist())
    assert first.table["run"].max() > 3


def test_beyond_reference_needs_no_phi(tmp_path):
    path = tmp_path / "reference.json"
    path.write_bytes(references.to_json(made(3)))  # too few days for a phi
    held = driver(path)
    feed(held, 0, 24)
    feed(held, 24, 48, shift=4.0)
    found = rows(held)
    assert (found["x"].state, found["x"].drift, found["x"].beyond_reference) == ("phi_unknown", None, 1.0)
    assert found["still"].beyond_reference == 0.0
    assert summary(held).state == "phi_unknown"
    assert summary(held).drifted_ratio is None


def test_too_little_is_no_verdict_and_a_reason(reference):
    held = driver(reference)
    feed(held, 0, 10)
    assert rows(held)["x"].state == summary(held).state == "not_covered"
    feed(held, 10, 23)
    assert summary(held).state == "not_covered", "an hour feature has 23 of 24 values yet"
    feed(held, 23, 26)
    assert summary(held).state == "judged"
    few = driver(reference)
    feed(few, 0, 26, each=3)
    assert rows(few)["x"].state == summary(few).state == "few_samples"
    assert rows(few)["x"].drift is None


def test_while_a_reference_is_learned_there_is_no_verdict():
    held = driver(None)
    feed(held, 0, 30)
    assert summary(held).state == "learning"
    assert settle(held) is None


def test_windows_of_a_reference_are_whole_days():
    partial = made(10, first=0.5 * DAY)  # its first day is half a day
    counts = judging.window_counts(partial, 1)
    assert counts.shape == (9, 5, 12)
    assert (counts.sum(axis=2) == 1_440).all()
    whole = made(24)
    assert judging.window_counts(whole, 2).shape[0] == 12
    assert judging.window_counts(whole, 7).shape[0] == 8, "of three days, since 24 days hold 3 of seven"
    assert (
        judging.window_counts(whole, 2)[3].tolist()
        == judging.window_counts(whole, 1)[6:8].sum(axis=0).tolist()
    )
    assert judging.window_counts(made(3), 1).shape[0] == 3


def test_a_saved_row_has_a_fixed_form():
    assert JUDGED.itemsize == 43


def test_what_was_judged_before_there_was_a_critical_ks_is_read():
    old = Judged("1d", 5, 12, ("a", ""), 100, np.zeros(3, JUDGED).tobytes())
    bare = msgspec.msgpack.encode(msgspec.structs.astuple(old)[:-1])
    found = msgspec.msgpack.decode(bare, type=Judged)
    assert found == old
    assert np.isnan(found.critical_ks).tolist() == [True] * 3
