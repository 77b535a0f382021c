"""All models: a decoded group prepared, committed updates applied, state saved and restored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from driftgauge import reference as references
from driftgauge.config import Config
from driftgauge.errors import ReferenceFileError
from driftgauge.monitor import outcomes, predictions
from driftgauge.monitor.batch import Piece
from driftgauge.monitor.log import RecordLog
from driftgauge.monitor.maturity import learn_maturity
from driftgauge.monitor.model import Model
from driftgauge.monitor.ports import Shelf
from driftgauge.monitor.structure import Coder
from driftgauge.monitor.update import Prepared, Update
from driftgauge.monitor.version import Version
from driftgauge.monitor.viewing import view
from driftgauge.records import Decoded, Outcomes, Predictions, Reason, Rejection, Schema
from driftgauge.reference import Reference
from driftgauge.snapshot import ReferenceState
from driftgauge.view import VersionView
from driftgauge.windows import Grid, Part

# Two logs a number, and the store has 32,768 of them.
LAST_OWNER: Final = 16_000

Round = Sequence[Predictions] | Sequence[Outcomes]


def rounds(decoded: Decoded) -> list[Round]:
    """Batches that may be prepared together: predictions at once, outcomes one of a model at a time.

    Two batches of outcomes of one model (with a version, without one) may hold the same id: the
    second must see what the first has joined.
    """
    found: list[Round] = [decoded.predictions] if decoded.predictions else []
    left = list(decoded.outcomes)
    while left:
        names: set[str] = set()
        turn = [b for b in left if not (b.model in names or names.add(b.model))]  # type: ignore[func-returns-value]
        left = [b for b in left if all(b is not t for t in turn)]
        found.append(turn)
    return found


class Models:
    """Every model and version. Owned by the writer.

    Attributes:
        faults: models whose given reference can't be used, and why.
    """

    def __init__(
        self,
        config: Config,
        shelf: Shelf,
        key: bytes,
        *,
        grid_of: Callable[[str], Grid | None] = lambda _: None,
    ) -> None:
        self.config = config
        self.shelf = shelf
        self.key = key
        self.grid_of = grid_of
        self.models: dict[str, Model] = {}
        self._retiring: set[int] = set()
        self.next_owner = 1
        self.faults: dict[str, str] = {}
        self._tentative: list[tuple[Model, Version | None]] = []
        self._given: dict[Path, Reference] = {}

    # --- what is known ----------------------------------------------------------------------

    def schema_of(self, name: str) -> Schema:
        """What is known of a model's records before they are decoded."""
        model = self.models.get(name)
        if model is None:
            model = Model(0, name, self.config.model(name), self.config.limits, self.shelf)
        return model.schema()

    def only_model(self) -> str | None:
        """The only configured model's name; None where none or several are configured."""
        return next(iter(self.config.models)) if len(self.config.models) == 1 else None

    def versions(self) -> Iterable[Version]:
        """Every version of every model."""
        return [v for model in self.models.values() for v in model.versions.values()]

    def views(self, wall: float) -> tuple[VersionView, ...]:
        """Copies for an evaluation at *wall*."""
        found = []
        for model in self.models.values():
            now = model.now(wall)
            for version in model.versions.values():
                learn_maturity(version)
                found.append(view(version, now))
        return tuple(found)

    # --- making -----------------------------------------------------------------------------

    def _model(self, name: str) -> Model | None:
        model = self.models.get(name)
        if model is None:
            if len(self.models) >= self.config.limits.models:
                return None
            model = self._new_model(self._owner(), name)
            self._tentative.append((model, None))
        return model

    def _new_model(self, owner: int, name: str) -> Model:
        config = self.config
        model = Model(
            owner,
            name,
            config.model(name),
            config.limits,
            self.shelf,
            time_scale=config.time_scale,
            export=config.export,
            coarse=self.grid_of(name),
        )
        self.models[name] = model
        return model

    def configured(self, name: str) -> None:
        """Make a model that the configuration names before its first record comes."""
        if name not in self.models:
            self._new_model(self._owner(), name)

    def logs(self) -> dict[int, RecordLog]:
        """Every log of kept records by its number."""
        found = {log.log: log for v in self.versions() for log in v.logs}
        return found | {m.outcomes.log: m.outcomes for m in self.models.values()}

    def owner_of(self, number: int) -> tuple[Model, Version | None, RecordLog] | None:
        """Whose log a number is; the version is None for a model's outcomes."""
        for model in self.models.values():
            if model.outcomes.log == number:
                return model, None, model.outcomes
            for version in model.versions.values():
                for log in version.logs:
                    if log.log == number:
                        return model, version, log
        return None

    def owners(self) -> set[int]:
        """Numbers in use by models and versions."""
        return {m.owner for m in self.models.values()} | {v.owner for v in self.versions()}

    def released(self, owner: int) -> None:
        """Take note that nothing of an evicted version is left in the store."""
        self._retiring.discard(owner)

    def take(self, updates: Iterable[Update]) -> None:
        """Take in committed updates that no request made: expiry, a reference frozen."""
        for update in updates:
            self._apply(update, live=True)

    def restored_model(self, owner: int, name: str) -> Model:
        """The model *name*, made with the number that it had."""
        return self._new_model(owner, name)

    def _owner(self) -> int:
        """A number that nothing has: the next one, for a number used again would find what outcomes
        and references were kept under it. The store's logs bound them, so they begin anew some day.
        """
        used = self.owners() | self._retiring
        while self.next_owner in used or self.next_owner > LAST_OWNER:
            self.next_owner = 1 if self.next_owner > LAST_OWNER else self.next_owner + 1
        self.next_owner += 1
        return self.next_owner - 1

    def _version(self, model: Model, name: str) -> Version:
        version = model.versions.get(name)
        if version is None:
            version = self._new_version(model, name, self._owner())
            self._tentative.append((model, version))
        return version

    def _new_version(self, model: Model, name: str, owner: int) -> Version:
        version = model.version(name, owner)
        self.give(version)
        return version

    def give(self, version: Version) -> None:
        """Fix the reference that the configuration gives, where it isn't in force already."""
        given = self._given_reference(version.model)
        if given is None:
            return
        for part, prefix in ((Part.INPUTS, "f:"), (Part.OUTPUTS, "o:")):
            reference = given.only(prefix)
            watch = version.watch(part)
            known = watch.reference if watch is not None else None
            if reference is not None and (known is None or known.id != reference.id):
                version.fix_reference(part, reference, ReferenceState.GIVEN)
        version.relating.give(given.relation)
        version.losses.give(given.loss)

    def _given_reference(self, model: Model) -> Reference | None:
        path = model.config.reference
        if path is None:
            return None
        try:
            if path not in self._given:
                self._given[path] = references.load(path)
        except ReferenceFileError as error:
            self.faults[model.name] = str(error)
            return None
        self.faults.pop(model.name, None)
        return self._given[path]

    # --- preparing --------------------------------------------------------------------------

    def prepare(self, turn: Round, requests: int, wall: float) -> Prepared:
        """What a round of batches will change. Nothing is changed but for names given out, which
        `abandon` takes back.
        """
        coders: dict[str, Coder] = {}
        updates: list[Update] = []
        pieces: list[tuple[Predictions | Outcomes, Piece]] = []
        refused: list[Rejection] = []
        for batch in turn:
            model = self._model(batch.model)
            if model is None:
                refused += _refused(batch, self.config.limits.models)
                continue
            coder = coders.setdefault(model.name, Coder(model.structure, model.config, model.limits))
            if self._too_many(model, batch.model_version):
                refused += _refused_versions(batch, self.config.limits.versions)
                continue
            if isinstance(batch, Predictions):
                version = self._version(model, batch.model_version)
                piece = predictions.prepare(model, version, batch, coder, wall, self.key)
                updates.append(piece.update)
            else:
                carrier = self._carrier(model, batch)
                others, piece = outcomes.prepare(model, carrier, batch, coder, wall, self.key)
                # The piece's own update brings the structure that the others' panes stand on.
                updates += [piece.update, *others]
            pieces.append((batch, piece))
        return _prepared(updates, pieces, refused, requests)

    def _too_many(self, model: Model, version: str | None) -> bool:
        """Whether a round has made as many versions of a model as are kept: more would evict each other."""
        if version is None or version in model.versions:
            return False
        made = sum(1 for owner, made in self._tentative if owner is model and made is not None)
        return made >= self.config.limits.versions

    def _carrier(self, model: Model, batch: Outcomes) -> Version | None:
        if batch.model_version is not None:
            return self._version(model, batch.model_version)
        if batch.needs_join.all() or model.config.outcomes.fan_out:
            return None
        newest = next(reversed(model.versions.values()), None)
        return newest or self._version(model, "")

    def abandon(self) -> None:
        """Forget a prepared round that could not be committed."""
        for model, version in reversed(self._tentative):
            if version is None:
                self.models.pop(model.name, None)
            else:
                model.versions.pop(version.name, None)
        self._tentative.clear()
        for model in self.models.values():
            model.outcomes.release()
            for version in model.versions.values():
                for log in version.logs:
                    log.release()

    def apply(self, prepared: Prepared) -> None:
        """Take in a committed round."""
        self._tentative.clear()
        for update in prepared.updates:
            self._apply(update, live=True)
        logs = self.logs()
        for appended in prepared.appended:
            logs[appended.log].added(appended.rows)
        for tally in prepared.tallies:
            if tally.violations and tally.version is not None:
                version = self.models[tally.model].versions[tally.version]
                version.violations.update(tally.violations)
        self._evict()

    def _apply(self, update: Update, *, live: bool) -> None:
        model = self.models[update.model]
        model.apply(update, live=live)

    def _evict(self) -> None:
        for model in self.models.values():
            for version in model.surplus():
                del model.versions[version.name]
                self._retiring.add(version.owner)

    def retiring(self) -> tuple[int, ...]:
        """Numbers of evicted versions of which the store may still hold something."""
        return tuple(sorted(self._retiring))

    def retire(self, owners: Iterable[int]) -> None:
        """Take up, after a restart, what was being dropped."""
        self._retiring |= set(owners) - self.owners()

    # --- replaying --------------------------------------------------------------------------

    def replay(self, updates: Iterable[Update]) -> None:
        """Take in one committed batch's updates after a restart; batches in their order."""
        for update in updates:
            model = self.models.get(update.model) or self._new_model(update.model_owner, update.model)
            if update.version_owner and update.version not in model.versions:
                self._new_version(model, update.version, update.version_owner)
            # A number that was given out again had been released, though no checkpoint says so yet.
            self._retiring -= {update.model_owner, update.version_owner}
            self.next_owner = max(self.next_owner, update.model_owner + 1, update.version_owner + 1)
            self._apply(update, live=False)
        # As it was when they were committed: after all of the round, not after each.
        self._evict()


def _refused(batch: Predictions | Outcomes, limit: int) -> list[Rejection]:
    return _rejections(batch, Reason.MODEL_LIMIT, f"model: there are {limit} models already, the limit")


def _refused_versions(batch: Predictions | Outcomes, limit: int) -> list[Rejection]:
    detail = f"model_version: more than {limit} new versions at once, and {limit} are kept"
    return _rejections(batch, Reason.TOO_MANY, detail)


def _rejections(batch: Predictions | Outcomes, reason: Reason, detail: str) -> list[Rejection]:
    return [
        Rejection(int(r), int(i), reason, detail) for r, i in zip(batch.request, batch.index, strict=True)
    ]


def _prepared(
    updates: list[Update],
    pieces: list[tuple[Predictions | Outcomes, Piece]],
    refused: list[Rejection],
    requests: int,
) -> Prepared:
    accepted = np.zeros(requests, np.int64)
    duplicates = np.zeros(requests, np.int64)
    for batch, piece in pieces:
        accepted += np.bincount(batch.request[piece.accepted], minlength=requests)
        duplicates += np.bincount(batch.request[piece.duplicate], minlength=requests)
    return Prepared(
        tuple(updates),
        tuple(a for _, piece in pieces for a in piece.appended),
        tuple(piece.tally for _, piece in pieces),
        accepted,
        duplicates,
        tuple(refused) + tuple(r for _, piece in pieces for r in piece.rejections),
        tuple(kept for _, piece in pieces for kept in piece.exports),
    )
