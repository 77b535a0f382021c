"""Predictions that wait for their outcome, written into a data directory through the store.

As rows, not as requests: ten million take half a minute. Some of them have ids that bodies of
outcomes ask for; the others have random hashes, which is what ids become.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from benchmarks.setting import Setting
from benchmarks.typical import IN_BODY, MODEL, Form, prediction_id, templates

SPREAD_SECONDS = 86_400.0
BODIES = 250
ORDERED_FIRST = 1 << 40
SCATTERED_FIRST = 1 << 41
ROWS_A_COMMIT = 20_000


@dataclass(frozen=True, slots=True)
class Known:
    """Rows whose ids bodies of outcomes ask for: sorted by place."""

    places: np.ndarray
    hashes: np.ndarray


def fill(setting: Setting, rows: int) -> None:
    """Write *rows* pending predictions, made over the last day, into an empty data directory.

    `BODIES` bodies of outcomes from `ORDERED_FIRST` ask for neighbouring rows in their order; as
    many from `SCATTERED_FIRST` ask for rows all over.
    """
    from driftgauge.app.restoring import open_kept
    from driftgauge.config_file import load
    from driftgauge.monitor.update import Update, encode
    from driftgauge.store import Append, Batch

    kept = open_kept(load(setting.file))
    try:
        model, version = _first_records(kept)
        known = _known(rows, kept.models.key)
        draw = np.random.default_rng(3)
        log, newest = version.plain, time.time() - 60.0
        for begin in range(0, rows, ROWS_A_COMMIT):
            count = min(ROWS_A_COMMIT, rows - begin)
            made = np.zeros(count, log.dtype)
            made["low"], made["high"] = draw.integers(0, 1 << 64, (2, count), dtype=np.uint64)
            made["time"] = newest - SPREAD_SECONDS * (1 - np.arange(begin, begin + count) / rows)
            made["score"] = draw.random(count)
            made["prediction"] = made["score"] >= 0.5
            span = slice(*np.searchsorted(known.places, (begin, begin + count)))
            here = known.places[span] - begin
            made["low"][here], made["high"][here] = known.hashes[span].T
            update = Update(model.owner, model.name, version.owner, version.name, unjoined=count)
            append = Append(log.log, log.reserve(count), made, made["time"] + model.horizon_seconds)
            kept.store.commit(Batch(encode((update,)), (append,)))
    finally:
        kept.store.close()


def _first_records(kept):
    """The model and its version, made by a body as it comes through the door."""
    from driftgauge.config import Limits
    from driftgauge.ingest import Decoder
    from driftgauge.monitor.update import encode
    from driftgauge.records import Kind, Media, Request
    from driftgauge.store import Append, Batch

    body = templates(Form.NDJSON, n=100)[0].stamped(1 << 42, time.time())
    decoder = Decoder(Limits(), {}, kept.models.schema_of, kept.models.only_model)
    decoded = decoder.predictions([Request(Kind.PREDICTIONS, Media.NDJSON, body)])
    prepared = kept.models.prepare(decoded.predictions, 1, time.time())
    appends = tuple(Append(a.log, a.first_row, a.rows, a.times) for a in prepared.appended)
    kept.store.commit(Batch(encode(prepared.updates), appends))
    kept.models.apply(prepared)
    model = kept.models.models[MODEL]
    return model, next(iter(model.versions.values()))


def _known(rows: int, key: bytes) -> Known:
    from driftgauge.hashing import id_hashes

    count = BODIES * IN_BODY
    if rows < 4 * count:
        return Known(np.zeros(0, np.int64), np.zeros((0, 2), np.uint64))
    bodies, places = np.divmod(np.arange(count), IN_BODY)
    ordered = rows // 4 + np.arange(count)
    scattered = (places * BODIES + bodies) * ((rows - count) // count)
    scattered = np.where(scattered < rows // 4, scattered, scattered + count)
    ids = chain(
        (prediction_id(ORDERED_FIRST + b, i) for b in range(BODIES) for i in range(IN_BODY)),
        (prediction_id(SCATTERED_FIRST + b, i) for b in range(BODIES) for i in range(IN_BODY)),
    )
    where, hashes = np.concatenate([ordered, scattered]), id_hashes(list(ids), key)
    order = np.argsort(where)
    return Known(where[order], hashes[order])


def size_bytes(directory: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
