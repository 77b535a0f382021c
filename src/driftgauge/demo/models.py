"""The demo's models: what each is called, how it is configured, where its records come from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from driftgauge.config import (
    DAY,
    Clock,
    Config,
    Feature,
    FeatureKind,
    Intake,
    Model,
    Observation,
    Outcomes,
    Seconds,
    Store,
    Task,
)
from driftgauge.demo import tables
from driftgauge.demo.tables import Recorded

CHURN: Final = "churn"
WEEK, MONTH = Seconds(7 * DAY), Seconds(30 * DAY)
EVALUATE_SECONDS: Final = 0.5
# The churn model's own names of two fields; examples/churn.yaml has the same.
FIELDS: Final = {"prediction_score": "score", "actual_outcome": "outcome"}


@dataclass(frozen=True, slots=True)
class Replayed:
    """A model whose records the package carries."""

    recorded: Callable[[], Recorded]
    config: Model


REPLAYED: Final[Mapping[str, Replayed]] = {
    "bike-demand": Replayed(
        tables.bike,
        Model(
            task=Task.REGRESSION,
            windows=(WEEK, MONTH),
            clock=Clock.RECORDS,
            features={
                **{name: Feature(FeatureKind.NUMERIC) for name in tables.BIKE_NUMERIC},
                **{name: Feature(FeatureKind.CATEGORICAL) for name in tables.BIKE_CATEGORICAL},
            },
            discover_features=False,
        ),
    ),
    "car-loan": Replayed(
        tables.car_loan,
        Model(
            task=Task.BINARY,
            windows=(WEEK, MONTH),
            clock=Clock.RECORDS,
            features={
                **{name: Feature(FeatureKind.NUMERIC) for name in tables.LOAN_NUMERIC},
                **{name: Feature(FeatureKind.CATEGORICAL) for name in tables.LOAN_CATEGORICAL},
            },
            discover_features=False,
            outcomes=Outcomes(horizon=MONTH),
        ),
    ),
}
CHURN_CONFIG: Final = Model(
    task=Task.BINARY,
    windows=(WEEK, MONTH),
    clock=Clock.RECORDS,
    segments=("plan",),
)
NAMES: Final = (*REPLAYED, CHURN)


def reference_path(folder: Path, name: str) -> Path:
    """Where the reference file of the model *name* is put."""
    return folder / f"{name}.reference.json"


def configuration(
    names: Collection[str],
    folder: Path,
    *,
    listen: str,
    metrics_listen: str,
    data: Path,
    time_scale: float,
) -> Config:
    """The sidecar's configuration for the models *names*, whose reference files are in *folder*."""
    models = {
        name: replace(found.config, reference=reference_path(folder, name))
        for name, found in REPLAYED.items()
        if name in names
    }
    if CHURN in names:
        models[CHURN] = CHURN_CONFIG
    return Config(
        models=models,
        fields=FIELDS,
        intake=Intake(listen=listen),
        observation=Observation(listen=metrics_listen),
        # Divided by time_scale: twice a second.
        evaluate=Seconds(EVALUATE_SECONDS * time_scale),
        store=Store(directory=data),
        time_scale=time_scale,
    )
