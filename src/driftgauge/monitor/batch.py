"""What batches of predictions and of outcomes share: which records are accepted, and what comes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from driftgauge.config import Clock
from driftgauge.hashing import id_hashes
from driftgauge.monitor.exports import Kept
from driftgauge.monitor.log import Hashes
from driftgauge.monitor.model import Model
from driftgauge.monitor.update import Appended, Tally, Update
from driftgauge.records import Floats, Ints, Reason, Rejection

FUTURE_SECONDS: Final = 300.0
Item = TypeVar("Item")


@dataclass(slots=True)
class Piece:
    """One version's share of a group: what to commit and what to tell.

    Attributes:
        accepted, duplicate: shape (n,), of the batch's records.
    """

    update: Update
    appended: list[Appended]
    tally: Tally
    accepted: NDArray[np.bool_]
    duplicate: NDArray[np.bool_]
    rejections: list[Rejection] = field(default_factory=list)
    exports: tuple[Kept, ...] = ()


def in_time(
    model: Model, times: Floats, now: float, request: Ints, index: Ints
) -> tuple[NDArray[np.bool_], list[Rejection]]:
    """Which times the model's clock accepts, and a worded rejection for each other."""
    if model.config.clock is Clock.WALL:
        limit, words = now + FUTURE_SECONDS, "more than 5 minutes in the future"
    elif model.clock is None:
        # Whatever begins the clock holds it there, so it may not begin far in the future.
        limit, words = now + model.longest_seconds, "more than the longest window in the future"
    else:
        limit = model.clock + model.longest_seconds
        words = "more than the longest window ahead of the model's clock"
    good = times <= limit
    return good, [
        Rejection(int(request[i]), int(index[i]), Reason.FUTURE, f"timestamp: {words}")
        for i in np.flatnonzero(~good)
    ]


def known_ids(ids: Sequence[str | None], key: bytes, good: NDArray[np.bool_]) -> tuple[Ints, Hashes, Ints]:
    """Places of records with an id, their hashes, and which good record's id each repeats, or -1."""
    if all(ids):
        places, given = np.arange(len(ids)), cast("Sequence[str]", ids)
    else:
        places = np.array([i for i, text in enumerate(ids) if text is not None], np.int64)
        given = [text for text in ids if text is not None]
    hashes = id_hashes(given, key)
    return places, hashes, _repeats(given, places, hashes, good)


def _repeats(given: Sequence[str], places: Ints, hashes: Hashes, good: NDArray[np.bool_]) -> Ints:
    repeats = np.full(len(good), -1)
    low = np.sort(hashes[:, 0])
    # Most batches repeat no id, which their sorted hashes tell for a tenth of what a dict costs.
    if (low[1:] == low[:-1]).any():
        seen: dict[str, int] = {}
        for place, text in zip(places.tolist(), given, strict=True):
            repeats[place] = seen.get(text, -1)
            if good[place]:
                seen.setdefault(text, place)
    return repeats


def pick(values: Sequence[Item], chosen: Ints, *, whole: bool) -> Sequence[Item]:
    """The chosen values of a list."""
    return values if whole else [values[i] for i in chosen.tolist()]
