"""Predictions and outcomes as the store kept them, joined by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter

import msgspec

from driftgauge.errors import StoreError
from driftgauge.records import Label
from driftgauge.store import Reader


class KeptPrediction(msgspec.Struct, tag="prediction", kw_only=True):
    """A prediction as it was kept; the outcome where it came with it."""

    model: str
    model_version: str = ""
    prediction_id: str = ""
    timestamp: float
    prediction: Label = None
    score: float | None = None
    features: dict[str, Label] = {}
    segments: dict[str, Label] = {}
    outcome: Label = None


class KeptOutcome(msgspec.Struct, tag="outcome", kw_only=True):
    """An outcome as it was kept; without a version it belongs to every version that has the id. It
    *replaces* those that came before it where the model took revisions.
    """

    model: str
    model_version: str | None = None
    prediction_id: str = ""
    timestamp: float
    outcome: Label = None
    value: float | None = None
    replaces: bool = False


_DECODER: msgspec.json.Decoder[KeptPrediction | KeptOutcome] = msgspec.json.Decoder(
    KeptPrediction | KeptOutcome
)


class Kept(msgspec.Struct, kw_only=True):
    """A prediction with its outcome; times are epoch seconds."""

    model: str
    model_version: str
    prediction_id: str
    prediction_timestamp: float
    outcome_timestamp: float
    prediction: Label
    score: float | None
    outcome: Label
    value: float | None
    features: Mapping[str, Label]
    segments: Mapping[str, Label]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records: of a model, a version or all (None), predicted in ``since <= time < until``."""

    model: str
    model_version: str | None = None
    since: float | None = None
    until: float | None = None

    def takes(self, prediction: KeptPrediction) -> bool:
        """Whether a prediction is among them."""
        return (
            prediction.model == self.model
            and self.model_version in {None, prediction.model_version}
            and (self.since is None or prediction.timestamp >= self.since)
            and (self.until is None or prediction.timestamp < self.until)
        )


_Word = tuple[int, KeptOutcome]
_NUMBER = itemgetter(0)


class Joined:
    """The wanted records of a store that have both halves, in the order in which predictions came.

    Made by one pass over what is kept, which takes in the outcomes; each iteration is another one.
    The first outcome of an id wins, or where the model took revisions the last one, as in its numbers.
    Memory: about 300 bytes an outcome of the model, of which the store's own limit for kept records bounds
    the number.
    """

    def __init__(self, reader: Reader, wanted: Wanted) -> None:
        self._reader = reader
        self._wanted = wanted
        self._outcomes: dict[tuple[str, str | None], list[_Word]] = {}
        self._last = 0
        for number, record in self._records():
            self._last = number
            if isinstance(record, KeptOutcome) and record.model == wanted.model:
                self._take(number, record)

    def __iter__(self) -> Iterator[Kept]:
        for number, record in self._records():
            if number > self._last:
                return
            if isinstance(record, KeptPrediction) and self._wanted.takes(record):
                outcome = self._outcome(number, record)
                if outcome is not None:
                    yield _joined(record, outcome)

    def _take(self, number: int, record: KeptOutcome) -> None:
        """Hold the first word and the last one that replaces it."""
        words = self._outcomes.setdefault((record.prediction_id, record.model_version), [])
        if not words or record.replaces:
            words[1:] = [(number, record)]

    def _outcome(self, number: int, prediction: KeptPrediction) -> KeptOutcome | None:
        """What counts of all that was said of a prediction, the outcome that came with it too."""
        name = prediction.prediction_id
        words = [w for of in (prediction.model_version, None) for w in self._outcomes.get((name, of), ())]
        if prediction.outcome is not None:
            own = KeptOutcome(
                model=prediction.model, timestamp=prediction.timestamp, outcome=prediction.outcome
            )
            words.append((number, own))
        # Told for the version before it was told for all: the first word is the version's own.
        words.sort(key=_NUMBER)
        return (
            next((word for _, word in reversed(words[1:]) if word.replaces), words[0][1]) if words else None
        )

    def _records(self) -> Iterator[tuple[int, KeptPrediction | KeptOutcome]]:
        for number, _, payload in self._reader.exports():
            try:
                yield number, _DECODER.decode(payload)
            except msgspec.MsgspecError as error:
                where = f"{self._reader.path}: kept record {number}"
                raise StoreError(f"{where}: expected a prediction or an outcome, got: {error}") from error


def _joined(prediction: KeptPrediction, outcome: KeptOutcome) -> Kept:
    return Kept(
        model=prediction.model,
        model_version=prediction.model_version,
        prediction_id=prediction.prediction_id,
        prediction_timestamp=prediction.timestamp,
        outcome_timestamp=outcome.timestamp,
        prediction=prediction.prediction,
        score=prediction.score,
        outcome=outcome.outcome,
        value=outcome.value,
        features=prediction.features,
        segments=prediction.segments,
    )
