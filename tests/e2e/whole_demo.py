"""`driftgauge demo` with all that can be exported: every family, value, segments' drift, two models more.

Run as a script it takes the demo's own flags, and first the folder with the references of the two.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from driftgauge.app import demo
from driftgauge.cli import main
from driftgauge.config import DAY, Against, Clock, Family, Model, Outcomes, Seconds, Task, Value

WINDOWS = (Seconds(7 * DAY), Seconds(30 * DAY))
PRICED = Value("EUR", true_positive=40.0, false_positive=-5.0, false_negative=-120.0)
ERRING = Value("EUR", over=-1.0, under=-2.0)


def sent(folder):
    """A classification and a regression of two versions, whose records the test sends."""
    usual = Model(
        windows=WINDOWS,
        segments=("plan",),
        segment_drift=("age",),
        against=tuple(Against),
        clock=Clock.RECORDS,
    )
    late = Outcomes(horizon=Seconds(20 * DAY), at_horizon="0", matures_after=Seconds(DAY))
    return {
        "canary": replace(
            usual,
            task=Task.BINARY,
            reference=folder / "canary.reference.json",
            outcomes=late,
            value=PRICED,
        ),
        "price": replace(
            usual,
            task=Task.REGRESSION,
            reference=folder / "price.reference.json",
            outcomes=Outcomes(matures_after=Seconds(DAY)),
            value=ERRING,
        ),
    }


def everything(configuration, folder, *args, **options):
    """The demo's configuration, and more."""
    made = configuration(*args, **options)
    models = {name: replace(model, value=ERRING) for name, model in made.models.items()}
    # A quarter as often: with every family an evaluation takes its time.
    return replace(
        made,
        models={**models, **sent(folder)},
        metrics=tuple(Family),
        evaluate=Seconds(made.evaluate * 4),
    )


if __name__ == "__main__":
    folder = Path(sys.argv.pop(1))
    demo.configuration = partial(everything, demo.configuration, folder)
    # Where the tests run there may be no limit, and then the exposition has none.
    demo.Application = partial(demo.Application, memory_limit=4 << 30)
    sys.argv.insert(1, "demo")
    main()
