"""Kept records whose horizon has passed: implied outcomes, orphans, and what is dropped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from driftgauge.monitor import binned, pairing
from driftgauge.monitor.detecting import fed
from driftgauge.monitor.joining import join_deltas
from driftgauge.monitor.log import ANY_VERSION, RecordLog, Rows, weights
from driftgauge.monitor.model import Model
from driftgauge.monitor.structure import Coder
from driftgauge.monitor.update import PaneDelta, Tally, Update
from driftgauge.monitor.version import Version
from driftgauge.sketches.quality import Joined

UNKNOWN = "unknown"


def grace_seconds(model: Model) -> float:
    """How long past the horizon a record stays, for outcomes that come a little out of order."""
    return model.coarse_grid.width_seconds


def hashes(rows: Rows) -> np.ndarray:
    """The id hashes of rows, shape (n, 2)."""
    return np.stack([rows["low"], rows["high"]], axis=1)


def expired_predictions(
    model: Model, version: Version, log: RecordLog, now: float, data: Sequence[np.ndarray]
) -> tuple[Update, Tally]:
    """What the end of *data*, blobs of *log*, changes: silence may imply an outcome."""
    rows = np.concatenate([d.reshape(-1).view(log.dtype) for d in data])
    silent = rows[~_has_outcome(model, version, rows)]
    tally = Tally(model.name, version.name, invalid={}, folded={})
    implied = model.config.outcomes.at_horizon
    deltas: tuple[PaneDelta, ...] = ()
    structure = None
    errors = None
    if implied != UNKNOWN and silent.size:
        coder = Coder(model.structure, model.config, model.limits)
        code = coder.labels([implied])[0]
        quality = model.quality_for(coder.structure)
        if quality is not None and not np.isnan(code):
            came = silent["time"] + model.horizon_seconds
            records = _implied(version, silent, code)
            deltas = (
                *join_deltas(version, quality, records, came, silent["time"].copy(), now),
                *_paired(version, silent, code, now),
            )
            tally.implied = silent.size
            errors = fed(version.errors, coder.structure.task, records.outcome, records.prediction, came)
            structure = None if coder.structure == model.structure else coder.structure
    update = Update(
        model_owner=model.owner,
        model=model.name,
        version_owner=version.owner,
        version=version.name,
        panes=deltas,
        structure=structure,
        unjoined=-int(silent.size),
        errors=errors,
    )
    return update, tally


def _has_outcome(model: Model, version: Version, rows: Rows) -> np.ndarray:
    """Which predictions have been joined: at once, or by an outcome in the log within the horizon."""
    joined = rows["joined"].astype(np.bool_)
    positions, outcomes = model.outcomes.find(hashes(rows))
    mine = (outcomes["version"] == ANY_VERSION) | (outcomes["version"] == version.owner)
    in_time = outcomes["time"] <= rows["time"][positions] + model.horizon_seconds
    joined[positions[mine & in_time]] = True
    return joined


def _paired(version: Version, silent: Rows, code: float, now: float) -> list[PaneDelta]:
    """Cases of which the other version was told nothing either, and has yet to expire: of two predictions
    of one id the first that expires counts the case.
    """
    model = version.model
    pair, sketch = pairing.Pair.of(model), model.paired
    other = None if pair is None else pair.other(version)
    if pair is None or other is None or sketch is None:
        return []
    found: list[pairing.Case] = []
    for places, rows in pairing.kept(other, hashes(silent)):
        alike = ~_has_outcome(model, other, rows)
        mine, theirs = (
            pairing.Told(
                places[alike],
                pairing.answers(each, np.full(each.size, code)),
                each["time"] + model.horizon_seconds,
            )
            for each in (silent[places[alike]], rows[alike])
        )
        found.append((theirs, mine) if other is pair.older else (mine, theirs))
    return pairing.deltas(pair, sketch, found, now)


def _implied(version: Version, rows: Rows, code: float) -> Joined:
    score = rows["score"]
    names = rows.dtype.names or ()
    return Joined(
        np.full(rows.size, code),
        rows["prediction"].copy(),
        np.where((score >= 0) & (score <= 1), score, np.nan),
        rows["scores"].copy() if "scores" in names else np.zeros((rows.size, 0)),
        np.ascontiguousarray(rows["segments"].T),
        np.full(rows.size, np.nan),
        implied=True,
        bins=binned.read(version, rows),
        weight=weights(rows),
    )


def expired_outcomes(model: Model, data: Sequence[np.ndarray]) -> tuple[Update, Tally]:
    """How many of the outcomes about to be dropped never met a prediction.

    A prediction that came after its outcome is kept at least as long, so it is still found here.
    """
    rows = np.concatenate([d.reshape(-1).view(model.outcomes.dtype) for d in data])
    met = rows["met"].astype(np.bool_)
    for version in model.versions.values():
        mine = (rows["version"] == ANY_VERSION) | (rows["version"] == version.owner)
        for log in version.logs:
            positions, _ = log.find(hashes(rows[mine]))
            met[np.flatnonzero(mine)[positions]] = True
    orphaned = int((~met).sum())
    update = Update(model.owner, model.name, 0, "", waiting=-orphaned)
    return update, Tally(model.name, None, orphaned=orphaned, invalid={}, folded={})


def thinned(model: Model, version: Version | None, log: RecordLog, cells: np.ndarray) -> tuple[Update, ...]:
    """What taking *cells*, rows of *log*, out of the sample changes in the numbers that wait."""
    rows = np.ascontiguousarray(cells).view(log.dtype).reshape(-1)
    if version is None:
        return (Update(model.owner, model.name, 0, "", waiting=-int((rows["met"] == 0).sum())),)
    silent = int((~_has_outcome(model, version, rows)).sum())
    return (Update(model.owner, model.name, version.owner, version.name, unjoined=-silent),)
