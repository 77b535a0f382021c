"""Every prediction by its score: in the window, in the matured window, and after a restart."""

import numpy as np
from tests.unit.monitor.driving import WALL, Driver, outcomes, predictions

from driftgauge.config import HOUR, Outcomes, Task

IDS = [f"p{i}" for i in range(4)]
SCORES = [0.1, 0.2, 0.7, 0.9]


def driver(**model):
    return Driver(windows=(HOUR, 24 * HOUR), outcomes=Outcomes(matures_after=2 * HOUR), **model)


def test_predictions_are_counted_by_score_whether_labelled_or_not():
    driven = driver()
    driven.send(predictions(IDS, np.full(4, WALL), score=SCORES))
    driven.send(outcomes(IDS[:1], [0], [WALL]))
    view = driven.view()
    for window in view.windows:
        assert view.scores.count(window.scores, "score").sum(axis=1).tolist() == [2, 2]
        assert view.scores.count(window.matured_scores, "score").sum() == 0


def test_the_matured_window_has_the_predictions_whose_outcomes_are_complete():
    driven = driver()
    driven.send(predictions(IDS[:2], np.full(2, WALL - 5 * HOUR), score=SCORES[:2]))
    driven.send(predictions(IDS[2:], np.full(2, WALL), score=SCORES[2:]))
    driven.send(outcomes(IDS[:1], [0], [WALL]))
    view = driven.view()
    day = view.windows[1]
    assert view.scores.predicted(day.scores)[0] == 4
    assert view.scores.predicted(day.matured_scores)[0] == 2
    assert view.scores.predicted(view.windows[0].matured_scores)[0] == 0


def test_a_restart_keeps_the_scores():
    driven = driver(task=Task.MULTICLASS)
    scores = {"a": [0.9, 0.1], "b": [0.1, 0.9]}
    driven.send(predictions(IDS[:2], np.full(2, WALL), scores=scores))
    before, after = driven.view(), driven.restarted().view()
    for one, two in zip(before.windows, after.windows, strict=True):
        assert one.scores.counts.sum() > 0
        assert one.scores.to_bytes() == two.scores.to_bytes()


def test_nothing_is_counted_before_the_task_is_known():
    driven = driver()
    driven.send(predictions(IDS, np.full(4, WALL), numeric={"x": [1, 2, 3, 4]}))
    assert driven.view().scores is None
    assert driven.view().windows[0].scores is None
    driven.send(predictions(["later"], [WALL], score=[0.5]))
    view = driven.view()
    assert view.scores.predicted(view.windows[0].scores)[0] == 1
