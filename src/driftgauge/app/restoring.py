"""The store opened and every model made again from it; all in the writer's thread."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from driftgauge.config import Config
from driftgauge.hashing import KEY_BYTES
from driftgauge.monitor import saving
from driftgauge.monitor.models import Models
from driftgauge.monitor.update import decode
from driftgauge.store import Opened, Phase, Store
from driftgauge.windows import Grid

KEY: Final = "hash-key"


@dataclass(slots=True)
class Kept:
    """An open store and the models that it held.

    Attributes:
        sequence: the newest committed batch; position: the newest that a checkpoint contains.
    """

    store: Store
    opened: Opened
    models: Models
    sequence: int
    position: int


def open_kept(
    config: Config,
    *,
    on_phase: Callable[[Phase], None] = lambda _: None,
    grid_of: Callable[[str], Grid | None] = lambda _: None,
) -> Kept:
    """Open (or begin) the store and restore the models.

    Raises:
        StoreError: it can't be opened, is used by another process, or is of a newer version.
    """
    settings = config.store
    store = Store(
        Path(settings.directory),
        settings.durability,
        max_bytes=settings.max_bytes,
        on_phase=on_phase,
    )
    opened = store.open()
    try:
        return _restored(config, store, opened, grid_of)
    except BaseException:
        store.close()
        raise


def _restored(config: Config, store: Store, opened: Opened, grid_of: Callable[[str], Grid | None]) -> Kept:
    states = store.states()
    key = states.get(KEY)
    if key is None:
        # Committed before the first id is hashed with it: ids hashed with a lost key are lost too.
        key = secrets.token_bytes(KEY_BYTES)
        store.checkpoint(opened.position, (), {KEY: key})
    models = Models(config, store, key, grid_of=grid_of)
    saving.restore(models, states)
    sequence = opened.position
    for sequence, payload in store.batches_since(opened.position):  # noqa: B007
        models.replay(decode(payload))
    for name in config.models:
        models.configured(name)
    for model in models.models.values():
        for log in (model.outcomes, *(log for v in model.versions.values() for log in v.logs)):
            if model.reformed or not log.fits():
                _drop(store, log.log, model.name)
            log.restore()
    return Kept(store, opened, models, max(sequence, opened.sequence), opened.position)


def _drop(store: Store, number: int, model: str) -> None:
    """Kept records of another form: their codes mean nothing under the limits or task of now."""
    dropped = 0
    while step := store.drop_log(number):
        dropped += step
    if dropped:
        logging.getLogger(__name__).warning(
            "%s: its task, limits or value's weight changed, so records that wait to be joined were dropped",
            model,
        )
