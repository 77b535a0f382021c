"""Records kept for retraining, when the configuration asks for it: the one place where feature
values reach the disk.

A prediction and its outcome are kept apart, as they come; `driftgauge export` joins them by id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from driftgauge.config import Export
from driftgauge.monitor.log import Hashes
from driftgauge.records import Floats, Ints, Label, Outcomes, Predictions

_ENCODE: Callable[[object], bytes] = msgspec.json.Encoder().encode

Kept = tuple[float, bytes]


class KeptPrediction(msgspec.Struct, tag="prediction"):
    """A prediction as it is kept; *features* are those that the configuration names."""

    model: str
    model_version: str
    prediction_id: str
    timestamp: float
    prediction: Label
    score: float | None
    features: dict[str, float | str | None]
    segments: dict[str, str | None]
    outcome: Label = None


class KeptOutcome(msgspec.Struct, tag="outcome", omit_defaults=True):
    """An outcome as it is kept; whether it *replaces* one of its id that came before it."""

    model: str
    model_version: str | None
    prediction_id: str
    timestamp: float
    outcome: Label
    value: float | None
    replaces: bool = False


def sampled(hashes: Hashes, share: float) -> Ints:
    """Which ids are in the sample: the same for a prediction and its outcome, on every machine
    that has the key.
    """
    if share >= 1.0:
        return np.arange(len(hashes))
    return np.flatnonzero(hashes[:, 1] < np.uint64(share * 2**64))


def predictions(
    config: Export, batch: Predictions, places: Ints, hashes: Hashes, times: Floats
) -> tuple[Kept, ...]:
    """The sampled records of a batch; *places* are those with an id, *times* of all."""
    if config.keep is None:
        return ()
    row_of = {name: row for row, name in enumerate(batch.numeric_names)}
    found = []
    for i in places[sampled(hashes, config.sample)].tolist():
        kept = KeptPrediction(
            batch.model,
            batch.model_version,
            batch.ids[i] or "",
            float(times[i]),
            batch.prediction[i],
            _number(batch.score[i]),
            {name: _value(batch, row_of, name, i) for name in config.features},
            {name: texts[i] for name, texts in batch.segments.items()},
            batch.outcome[i],
        )
        found.append((float(times[i]), _ENCODE(kept)))
    return tuple(found)


def outcomes(
    config: Export,
    batch: Outcomes,
    places: Sequence[int],
    hashes: Hashes,
    times: Floats,
    said: Ints,
    *,
    revisions: bool,
) -> tuple[Kept, ...]:
    """The sampled outcomes of a batch; *places* are those with an id, *times* of all; *said* is where the
    word of each stands, shape (n,). Where there are *revisions* each replaces what came before it.
    """
    if config.keep is None:
        return ()
    chosen = np.asarray(places, np.int64)[sampled(hashes, config.sample)]
    return tuple(
        (
            float(times[i]),
            _ENCODE(
                KeptOutcome(
                    batch.model,
                    batch.model_version,
                    batch.ids[i] or "",
                    float(times[i]),
                    batch.outcome[said[i]],
                    _number(batch.value[said[i]]),
                    revisions,
                )
            ),
        )
        for i in chosen.tolist()
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _value(batch: Predictions, row_of: dict[str, int], name: str, i: int) -> float | str | None:
    row = row_of.get(name)
    if row is not None:
        return _number(batch.numeric[row, i])
    texts = batch.categorical.get(name)
    return None if texts is None else texts[i]
